"""SQNR, cosine and errors of known values."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.explain.differences import difference


def test_a_tenth_of_the_signal_is_20_db() -> None:
    expected = np.array([3.0, -4.0, 0.0, 5.0])
    found = difference(1.1 * expected, expected)
    assert found.sqnr_db == pytest.approx(20)
    assert found.cosine == pytest.approx(1)
    assert found.max_error == pytest.approx(0.5)
    assert found.relative_error == pytest.approx(np.sqrt(np.mean((0.1 * expected) ** 2)) / 9)


def test_equal_values_have_no_noise() -> None:
    found = difference(np.ones(3), np.ones(3))
    assert (found.sqnr_db, found.max_error, found.relative_error) == (None, 0.0, 0.0)


def test_values_that_are_no_numbers_are_infinitely_far() -> None:
    found = difference(np.array([np.nan, 1.0]), np.array([1.0, 2.0]))
    assert found.max_error == np.inf
    assert found.cosine is None


def test_nothing_differs_in_nothing() -> None:
    assert difference(np.zeros(0), np.zeros(0)).max_error == 0
