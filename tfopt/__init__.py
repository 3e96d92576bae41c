"""tfopt: one recipe carries a Keras model to a small, fast and proven TFLite file.

import tfopt
recipe = tfopt.load("recipes/digits_prune_qat.yaml")
run = tfopt.run(recipe.with_overrides({"stages.prune.schedule.final": "90%"}))
print(run.report.exports)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from tfopt._version import __version__ as __version__

if TYPE_CHECKING:
    from tfopt import bridge
    from tfopt.api import (
        bench,
        bench_on_phone,
        compare,
        doctor,
        explore,
        gc,
        generate,
        init,
        inspect,
        list_names,
        load,
        plan,
        run,
        schema,
        show,
        sweep,
        validate,
        verify,
    )
    from tfopt.core.recipe.plan import Plan
    from tfopt.core.recipe.recipe import Recipe
    from tfopt.core.records.report import AuditRecord, Report
    from tfopt.core.records.run import Run
    from tfopt.errors import TfoptError

_CLASSES = {
    "AuditRecord": "tfopt.core.records.report",
    "Plan": "tfopt.core.recipe.plan",
    "Recipe": "tfopt.core.recipe.recipe",
    "Report": "tfopt.core.records.report",
    "Run": "tfopt.core.records.run",
    "TfoptError": "tfopt.errors",
}

__all__ = [
    "AuditRecord",
    "Plan",
    "Recipe",
    "Report",
    "Run",
    "TfoptError",
    "bench",
    "bench_on_phone",
    "bridge",
    "compare",
    "doctor",
    "explore",
    "gc",
    "generate",
    "init",
    "inspect",
    "list_names",
    "load",
    "plan",
    "run",
    "schema",
    "show",
    "sweep",
    "validate",
    "verify",
]


def __getattr__(name: str) -> object:
    """Loads a public name when it is first used, so that `import tfopt` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'tfopt' has no attribute {name!r}")
    if name == "bridge":
        return import_module("tfopt.bridge")
    return getattr(import_module(_CLASSES.get(name, "tfopt.api")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
