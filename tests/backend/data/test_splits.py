"""Splits in memory, and what must travel with a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tfopt.backend.data.splits import Data, Preprocessing, Split

TOKENIZER = Preprocessing("tokenizer", {"vocabulary.txt": b"the\nof\n"})


def data() -> Data:
    split = Split(np.arange(6, dtype=np.float32).reshape(3, 2), np.array([0, 1, 0]))
    return Data(split, split, split, source="words", num_classes=2)


def test_what_must_travel_with_a_model_stays_with_the_data() -> None:
    with_tokenizer = replace(data(), preprocessing=TOKENIZER)
    fewer = replace(with_tokenizer, train=with_tokenizer.train.take(2, seed=0))
    assert fewer.preprocessing is TOKENIZER
    assert data().preprocessing is None


def test_it_is_part_of_the_fingerprint_and_so_of_every_stage_key() -> None:
    fingerprints = [
        replace(data(), preprocessing=preprocessing).fingerprint
        for preprocessing in (
            None,
            TOKENIZER,
            Preprocessing("tokenizer", {"vocabulary.txt": b"the\nto\n"}),
            Preprocessing("tokenizer", {"words.txt": b"the\nof\n"}),
        )
    ]
    assert len(set(fingerprints)) == 4


def test_data_without_it_keep_the_fingerprint_of_version_0_1() -> None:
    assert data().fingerprint == "c7881e9cbd1d4d136b4a010bbc0df07ab6e7e92b236992a7b7982c1630a0c59a"
