"""Tokens per character, from the text that the targets are."""

from __future__ import annotations

import json

import numpy as np

from tests.support.errors import refused
from tfopt.backend.data.splits import Data, Preprocessing, Split
from tfopt.backend.training.metrics.characters import with_characters
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError

WORDS = {
    "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
    "pre_tokenizer": None, "post_processor": None, "decoder": {"type": "Fuse"},
    "model": {"type": "WordLevel", "vocab": {"<pad>": 0, "abc": 1, "de": 2, "<unk>": 3}, "unk_token": "<unk>"},
}  # fmt: skip
ASKED = Compile.model_validate(
    {
        "loss": {"name": "sparse_categorical_crossentropy", "ignore_class": 0},
        "metrics": ["accuracy", "bits_per_character"],
    }
)


def data(preprocessing: Preprocessing | None) -> Data:
    split = Split(np.zeros((2, 2), np.int32), np.array([[1, 2], [1, 0]], np.int32))
    return Data(split, split, split, "text", preprocessing=preprocessing)


def test_the_targets_that_count_are_turned_into_text() -> None:
    tokenizer = Preprocessing("tokenizer", {"tokenizer.json": json.dumps(WORDS).encode()})
    found = with_characters(ASKED, data(tokenizer))
    assert found.metrics[0] == ASKED.metrics[0]
    assert found.metrics[1].arguments() == {"tokens_per_character": 3 / 8}
    assert with_characters(found, data(None)) is found


def test_without_a_tokenizer_it_must_be_told() -> None:
    with refused(StageError, "data_missing", "tokens_per_character"):
        with_characters(ASKED, data(None))
