"""The keys of `export.generate`."""

from __future__ import annotations

from typing import Any

import pytest

from tfopt.catalog.catalog import catalog
from tfopt.core.recipe.reader import read_exports
from tfopt.testing.stages import check_block


def _read(body: Any) -> tuple[Any, list[str]]:
    exports, problems = read_exports({"generate": body}, catalog())
    return (exports[0] if exports else None), [f"{'.'.join(map(str, each.path))}: {each}" for each in problems]


def test_all_keys_have_a_default() -> None:
    export, problems = _read({})
    assert problems == []
    assert export.names() == ("generate_float32",)
    assert type(export).model_validate(export.model_dump(mode="json")) == export
    check_block(type(export))


def test_files_have_names_and_modes() -> None:
    export, problems = _read({"saved_model": True, "files": {"float32": None, "small": {"quantize": "int4_block32"}}})
    assert problems == []
    assert export.names() == ("generate_float32", "generate_small", "generate_saved_model")
    assert export.files["small"].variant.engine == "quantizer"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"files": {"q": {"quantize": "int8"}}}, "the state of a file is float; it can be none, float16, dynamic"),
        ({"files": {"q": {"quantize": "int4", "algorithm": "gptq"}}}, "these files have states between calls"),
        ({"files": {"a b": {}}}, "use letters, digits"),
        ({"files": {"saved_model": {}}, "saved_model": True}, "which has this name"),
        ({"context": 16, "prefill": [8, 32]}, "prefill: 32 is longer than the context of 16 tokens"),
        ({"context": 16, "verify": 32}, "verify: 32 is longer than the context of 16 tokens"),
        ({"prefill": []}, "needs at least one length"),
        ({"cache": "int8"}, "float32"),
        ({"contxt": 3}, "context"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_mistake_is_explained(body: Any, words: str) -> None:
    _, problems = _read(body)
    assert len(problems) == 1
    assert words in problems[0]
