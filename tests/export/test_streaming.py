"""The keys of `export.streaming`."""

from __future__ import annotations

from typing import Any

import pytest

from tfopt.catalog.catalog import catalog
from tfopt.core.recipe.reader import read_exports
from tfopt.testing.stages import check_block


def _read(body: Any) -> tuple[Any, list[str]]:
    exports, problems = read_exports({"streaming": body}, catalog())
    return (exports[0] if exports else None), [str(each) for each in problems]


def test_all_keys_have_a_default() -> None:
    export, problems = _read({"files": {"float32": None, "int8": {"quantize": "dynamic"}}})
    assert problems == []
    assert export.names() == ("streaming_float32", "streaming_int8")
    assert export.keys.frames == (1,)
    assert type(export).model_validate(export.model_dump(mode="json")) == export
    check_block(type(export))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"frames": []}, "frames"),
        ({"frames": [0]}, "frames"),
        ({"files": {"a b": {}}}, "use letters, digits"),
        ({"files": {"q": {"quantize": "int8"}}}, "the state of a file is float"),
    ],
    ids=str,
)
def test_a_mistake_is_explained(body: Any, words: str) -> None:
    _, problems = _read(body)
    assert len(problems) == 1
    assert words in problems[0]
