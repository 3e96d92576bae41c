"""Tokens reach a file the same way in any cut: buckets, padding and single steps give the same logits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.generative import CONTEXT, LARGE, RECURRENT
from tfopt.backend.decoding.model import GenerativeModel, Memory
from tfopt.backend.types import Array


def logits_after(model: GenerativeModel, tokens: list[int]) -> Array:
    memory = model.prefill(model.empty(), tokens[:-1])
    return model.decode(memory, tokens[-1])[0]


def one_by_one(model: GenerativeModel, tokens: list[int]) -> Array:
    memory = model.empty()
    for token in tokens:
        logits, memory = model.decode(memory, token)
    return logits


@pytest.mark.parametrize("file", [LARGE, RECURRENT], ids=lambda file: file.stem)
def test_every_length_gives_the_logits_of_single_steps(file: Path) -> None:
    model = GenerativeModel(file)
    random = np.random.default_rng(0)
    for length in range(1, CONTEXT + 1):
        tokens = random.integers(14, size=length).tolist()
        assert logits_after(model, tokens) == pytest.approx(one_by_one(model, tokens), abs=1e-4), length


def test_a_moment_can_be_gone_back_to() -> None:
    model = GenerativeModel(LARGE)
    memory = model.prefill(model.empty(), [1, 2, 3])
    expected, _ = model.decode(memory, 4)
    _, later = model.verify(memory, [9, 8, 7, 6])
    assert later.length == 7
    found, after = model.decode(model.back_to(later, 3), 4)
    assert found == pytest.approx(expected, abs=1e-5)
    assert after.length == 4


def test_verify_gives_the_logits_of_each_step() -> None:
    model = GenerativeModel(LARGE)
    memory = model.prefill(model.empty(), [5, 6])
    several, _ = model.verify(memory, [1, 2, 3])
    assert several.shape == (3, 14)
    for index, token in enumerate([1, 2, 3]):
        single, memory = model.decode(memory, token)
        assert several[index] == pytest.approx(single, abs=1e-4)


def test_what_is_remembered_does_not_change() -> None:
    model = GenerativeModel(LARGE)
    memory: Memory = model.prefill(model.empty(), [1, 2])
    kept = {name: values.copy() for name, values in memory.state.items()}
    model.decode(memory, 3)
    assert all(np.array_equal(memory.state[name], values) for name, values in kept.items())
    assert model.signatures.cache_bytes == 2 * 2 * CONTEXT * 4 * 4
