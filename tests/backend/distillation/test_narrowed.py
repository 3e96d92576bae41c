"""Principal components of embedding tables."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.distillation.narrowed import narrowed

pytestmark = pytest.mark.tf


def test_rows_of_a_low_rank_keep_their_angles() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(30, 4)) @ random.normal(size=(4, 16))
    table, kept = narrowed(rows.astype("float32"), 6)
    assert table.shape == (30, 6)
    assert kept == pytest.approx(1)
    centred = rows - rows.mean(axis=0)
    assert table.std() == pytest.approx(rows.std(), rel=1e-5)
    expected, found = centred @ centred.T, table.astype("float64") @ table.T
    assert np.corrcoef(expected.ravel(), found.ravel())[0, 1] > 0.999999


def test_fewer_tokens_than_components_and_equal_rows() -> None:
    table, kept = narrowed(np.eye(3, 8, dtype="float32"), 5)
    assert table.shape == (3, 5)
    assert kept == pytest.approx(1)
    flat, _ = narrowed(np.ones((3, 8), "float32"), 2)
    assert np.allclose(flat, 0, atol=1e-6)
