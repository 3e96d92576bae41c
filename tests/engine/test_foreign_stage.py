"""A stage from another package's entry point is planned, run and exported like tfopt's own."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from tfopt.catalog import catalog as catalog_module
from tfopt.catalog import entries as entries_module
from tfopt.core.recipe.recipe import Recipe, build_recipe
from tfopt.engine.plan import prepare
from tfopt.engine.run import execute
from tfopt.io.store.store import Store

pytestmark = pytest.mark.tf

POINTS = [
    EntryPoint("rounded", "tests.support.stand_ins.foreign_stage:Rounded", "tfopt.stages"),
    EntryPoint("old_fashioned", "tests.support.stand_ins.foreign_stage:OldFashioned", "tfopt.stages"),
]


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(entries_module, "entry_points", lambda group: POINTS if group == "tfopt.stages" else [])
    clear()
    yield
    clear()


def clear() -> None:
    for module in (catalog_module, entries_module):
        for one in vars(module).values():
            if hasattr(one, "cache_clear"):
                one.cache_clear()


def recipe(last: dict[str, Any], **files: dict[str, Any]) -> Recipe:
    document = {
        "name": "foreign",
        "seed": 1,
        "data": {"source": "digits", "batch_size": 256},
        "model": {"source": "mlp", "args": {"units": [8]}},
        "stages": [{"prune": {"epochs": 1, "schedule": {"kind": "one_shot", "final": "50%"}}}, last],
        "export": {"tflite": {"int8": {"quantize": "int8", "agreement": "50%"}, **files}},
    }
    return build_recipe(document, catalog_module.catalog())


def test_a_foreign_stage_that_quantizes_is_planned_run_and_exported(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    store = Store(tmp_path / ".store")
    without = {"quantize": "dynamic", "agreement": "50%", "ptq": True}
    prepared = prepare(recipe({"rounded": {"epochs": 1}}, without=without), store)
    assert [stage.kind for stage in prepared.plan.stages] == ["prune", "rounded"]
    warnings = [text for text in prepared.plan.warnings if not text.startswith("prune: 50% sparsity with 5 steps")]
    assert warnings == ["rounded: comes from another package."], "no word of an int8 file without qat"

    run = execute(prepared, store, tmp_path / "run")
    assert run.report.held
    rounded = run.report.stages[-1]
    assert rounded.details["float_layers"] == {}
    assert max(layer.sparsity for layer in rounded.layers) > 0.4, "what it keeps is verified as of any stage"
    int8, before = run.report.exports
    assert (before.details["converted_from"], before.details["without_stage"]) == ("float", "rounded")
    assert {"sparsity_kept", "same_outputs"} <= {claim.code for claim in before.claims}
    assert int8.details["converted_from"] == "qat"
    assert int8.simulation is not None
    assert int8.simulation.stage == "rounded"
    assert int8.measures["within_quantum"] > 0.5
    assert int8.simulation.plain.keys() >= {"accuracy", "accuracy_drop", "loss"}
    assert store.has(rounded.key)

    again = prepare(recipe({"rounded": {"epochs": 1}}), store)
    assert [stage.status for stage in again.plan.stages] == ["cached", "cached"]


def test_a_stage_that_returns_the_model_alone_still_runs(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    store = Store(tmp_path / ".store")
    run = execute(prepare(recipe({"old_fashioned": {"epochs": 1}}), store), store, tmp_path / "run")
    assert run.report.run.state == "done"
    assert any("OldFashioned.apply returns the model alone" in warning for warning in run.report.warnings)
