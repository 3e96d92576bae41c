"""External models that read inputs made in another way are refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tfopt.core.recipe.plan import PlannedSource
from tfopt.engine.external_models import of_other_preprocessing

THEIRS = PlannedSource("recipe teacher.yaml", "recipe", "their key", "cached")
EARLIER = PlannedSource("stage train", "stage", "own key", "cached")


def data(tokenizer: bytes | None) -> Any:
    files = {"tokenizer.json": tokenizer}
    return SimpleNamespace(preprocessing=tokenizer and SimpleNamespace(name="tokenizer", files=files))


@pytest.mark.parametrize(("theirs", "refused"), [(b"one", False), (b"other", True), (None, False)])
def test_a_teacher_of_another_tokenizer_is_refused(theirs: bytes | None, refused: bool) -> None:
    needed: Any = {"their key": SimpleNamespace(data=data(theirs))}
    found = of_other_preprocessing([EARLIER, THEIRS], data(b"one"), needed)
    assert list(found) == (["recipe teacher.yaml"] if refused else [])
    assert all("was trained with another tokenizer" in reason for reason in found.values())
