"""Offsets from anchors, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.vision.coding import decoded, encoded

ANCHOR = np.array([[0.2, 0.2, 0.6, 0.4]])


def test_offsets() -> None:
    assert encoded(ANCHOR, ANCHOR) == pytest.approx(np.zeros((1, 4)), abs=1e-6)
    # Half a width to the right, twice as high.
    box = np.array([[0.4, 0.1, 0.8, 0.5]])
    assert encoded(box, ANCHOR) == pytest.approx(np.array([[5, 0, 0, 5 * np.log(2)]]), abs=1e-5)
    assert decoded(np.array([[5, 0, 0, 5 * np.log(2)]]), ANCHOR) == pytest.approx(box, abs=1e-6)


def test_any_box_comes_back() -> None:
    random = np.random.default_rng(0)
    low = random.uniform(0, 0.5, (50, 2))
    boxes = np.concatenate([low, low + random.uniform(0.05, 0.5, (50, 2))], axis=-1)
    assert decoded(encoded(boxes, ANCHOR), ANCHOR) == pytest.approx(boxes, abs=1e-5)


def test_a_wild_output_is_finite() -> None:
    assert np.isfinite(decoded(np.full((1, 4), 1e6), ANCHOR)).all()
