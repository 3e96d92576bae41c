"""The next token: temperature, top-k, top-p, penalty, and chance that follows the probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.decoding.sampling import Sampling, drawn, probabilities

LOGITS = np.array([2.0, 1.0, 0.0, -1.0], np.float32)


def test_temperature_0_takes_the_most_probable() -> None:
    assert probabilities(LOGITS, [], Sampling()).tolist() == [1, 0, 0, 0]


def test_a_temperature_divides_the_logits() -> None:
    expected = np.exp(LOGITS / 2) / np.exp(LOGITS / 2).sum()
    assert probabilities(LOGITS, [], Sampling(2.0)) == pytest.approx(expected, rel=1e-6)


def test_top_k_and_top_p_keep_the_most_probable() -> None:
    two = np.exp(LOGITS[:2]) / np.exp(LOGITS[:2]).sum()
    assert probabilities(LOGITS, [], Sampling(1.0, top_k=2)) == pytest.approx([*two, 0, 0])
    # The first has 0.64, the first two 0.88: the smallest set with 0.7 has both.
    assert probabilities(LOGITS, [], Sampling(1.0, top_p=0.7)) == pytest.approx([*two, 0, 0])
    assert probabilities(LOGITS, [], Sampling(1.0, top_p=1e-9)).tolist() == [1, 0, 0, 0]
    assert probabilities(LOGITS, [], Sampling(1.0, top_k=99)).sum() == pytest.approx(1)


def test_ties_do_not_let_more_than_k_pass() -> None:
    assert np.count_nonzero(probabilities(np.zeros(9), [], Sampling(1.0, top_k=3))) == 3


def test_a_penalty_makes_what_occurred_less_probable() -> None:
    shares = probabilities(LOGITS, [0, 3], Sampling(1.0, repetition_penalty=2.0))
    expected = np.exp([1.0, 1.0, 0.0, -2.0])
    assert shares == pytest.approx(expected / expected.sum())


def test_extreme_logits_stay_numbers() -> None:
    shares = probabilities(np.array([3e38, -3e38, 0], np.float32), [], Sampling(1e-3))
    assert shares.tolist() == [1, 0, 0]


def test_tokens_are_drawn_by_their_probabilities() -> None:
    shares, random = np.array([0.5, 0.0, 0.3, 0.2]), np.random.default_rng(0)
    counts = np.bincount([drawn(shares, random) for _ in range(4000)], minlength=4)
    assert counts[1] == 0
    assert counts / 4000 == pytest.approx(shares, abs=0.03)
