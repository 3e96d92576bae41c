"""Areas and overlaps, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.vision.boxes import areas, centred, corners, overlaps


def test_overlaps() -> None:
    boxes = np.array([[0, 0, 2, 2], [0, 0, 1, 1], [5, 5, 5, 5]], float)
    assert areas(boxes).tolist() == [4, 1, 0]
    assert areas(np.array([2.0, 0.0, 1.0, 1.0])) == 0
    found = overlaps(boxes, np.array([[1, 1, 3, 3], [0, 0, 2, 2], [5, 5, 5, 5]], float))
    assert found == pytest.approx(np.array([[1 / 7, 1, 0], [0, 1 / 4, 0], [0, 0, 0]]))


def test_centres_and_corners_are_each_others_inverse() -> None:
    boxes = np.array([[0.1, 0.2, 0.5, 0.4]])
    assert centred(boxes) == pytest.approx(np.array([[0.3, 0.3, 0.4, 0.2]]))
    assert corners(centred(boxes)) == pytest.approx(boxes)
