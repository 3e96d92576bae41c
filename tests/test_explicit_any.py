"""`Any` switches mypy off for a value: the lines that say it are counted, and may only become fewer."""

from __future__ import annotations

import re

from tests.support.root import REPOSITORY

MOST_LINES = 285
"""Lines of `tfopt/` with the word (898 in version 0.1.0); lower it when there are fewer."""

ALIASES = {"Data", "Model", "Nested", "Rows"}
"""The only names that stand for `Any`; the docstring of each says why."""

INSTEAD = """
Say what the value is:
- a value that is only passed on, or looked at with isinstance: `object`, or a TypeVar where its type comes out again;
- a dict with known keys, such as the result of a child process: a TypedDict;
- a layer, a model, a tensor, an operation, a converter: their classes, in `stubs/` (add there what is missing);
- a call of a layer in the graph of a model: `tfopt.backend.compat.keras_graph.Node`;
- `**kwargs` of a layer's constructor: `Unpack[LayerArguments]` (`tfopt.backend.types`);
- an array or its dtype: `Array`, `np.dtype[np.generic]`;
- an event, a recipe as plain values: `Event`, `Document` (`tfopt.core`);
- an imported package without types: `ModuleType`; an object of it: its class, imported under TYPE_CHECKING;
- a function of anything: `Callable[..., object]`.
"""


def _lines(pattern: str) -> list[str]:
    return [
        line
        for path in sorted((REPOSITORY / "tfopt").rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(pattern, line)
    ]


def test_any_is_said_no_more_often_than_before() -> None:
    found = len(_lines(r"\bAny\b"))
    assert found <= MOST_LINES, f"{found} lines of tfopt/ say Any; {MOST_LINES} are allowed.{INSTEAD}"


def test_no_other_name_stands_for_any() -> None:
    named = {line.split(":")[0].split("=")[0].strip() for line in _lines(r"^\w+(: \w+)? = Any$")}
    assert named <= ALIASES, f"{sorted(named - ALIASES)} is Any under another name.{INSTEAD}"
