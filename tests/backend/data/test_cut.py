"""Splits that a source leaves to us: shares, classes and whole groups."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.data.cut import cut
from tfopt.backend.data.splits import Split
from tfopt.core.config.data import Splits
from tfopt.errors import StageError


def examples(n: int, keys: np.ndarray | None = None) -> dict[str, Split]:
    return {"train": Split(np.arange(n, dtype=np.float32), np.arange(n) % 2, keys=keys)}


def test_groups_stay_together_and_every_example_is_in_one_split() -> None:
    speakers = np.repeat(["ann", "bob", "cid", "dee", "eve", "fay"], 10)
    made = cut(examples(60, speakers), Splits(), 3, "voices")
    heard = {name: set(speakers[split.inputs.astype(int)]) for name, split in made.items()}
    assert sorted(len(names) for names in heard.values()) == [1, 1, 4]
    assert set.union(*heard.values()) == set(speakers)
    assert sum(len(split) for split in made.values()) == len(speakers)


def test_one_group_cannot_be_split() -> None:
    with pytest.raises(StageError, match="too few groups to set one aside for test: ann"):
        cut(examples(60, np.repeat("ann", 60)), Splits(), 3, "voices")


def test_texts_are_split_too() -> None:
    texts = np.array([f"text {number}" for number in range(40)])
    made = cut({"train": Split(texts, np.arange(40) % 2)}, Splits(), 0, "texts", labels=np.arange(40) % 2)
    assert {name: len(split) for name, split in made.items()} == {"train": 28, "validation": 4, "test": 8}
