"""Equations and constants of attention written with `keras.ops`; a model: `tests/cases/test_keras_hub_gpt2.py`."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.quantization.canonical.rewrites.operators.keras3_attention import added_mask, product

pytestmark = pytest.mark.tf


def test_equations_become_products_of_matrices() -> None:
    scores = product("aecd,abcd->acbe")
    assert scores is not None
    assert (scores.swapped, scores.transposed, scores.result) == (True, True, (0, 1, 2, 3))
    context = product("acbe,aecd->abcd")
    assert context is not None
    assert (context.swapped, context.transposed, context.right) == (False, False, (0, 2, 1, 3))
    for other in ("ab,bc->ac", "abc,abd->a", "aab,abc->ac", "...a,...a->...", "abc->acb"):
        assert product(other) is None


def test_only_zeros_and_large_negative_numbers_are_a_mask() -> None:
    kept = added_mask(np.array([[0.0, -1e9], [0.0, 0.0]]))
    assert kept is not None
    assert kept.tolist() == [[True, False], [True, True]]
    for other in ([[0.0, -1.0]], [[-1e9, -1e9], [0.0, 0.0]], [[0.0, 0.0]], -1e9):
        assert added_mask(np.array(other)) is None
