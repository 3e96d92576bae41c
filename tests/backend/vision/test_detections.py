"""Non-maximum suppression and detections, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.vision.coding import encoded
from tfopt.backend.vision.detections import detections_of, kept

BOXES = np.array([[0, 0, 0.4, 0.4], [0, 0, 0.4, 0.36], [0.5, 0.5, 0.9, 0.9], [0.1, 0, 0.5, 0.4]])


def test_the_surest_of_doubles_is_kept() -> None:
    # Box 1 overlaps box 0 by 0.9; box 3 overlaps box 0 by 0.6.
    scores = np.array([0.7, 0.8, 0.9, 0.1])
    assert kept(BOXES, scores, threshold=0.65).tolist() == [2, 1, 3]
    assert kept(BOXES, scores, threshold=0.5).tolist() == [2, 1]
    assert kept(BOXES, scores, threshold=0.5, most=1).tolist() == [2]
    assert kept(np.zeros((0, 4)), np.zeros(0)).tolist() == []


def test_detections_are_per_class_and_sorted() -> None:
    anchors = np.tile([0.2, 0.2, 0.6, 0.6], (4, 1))
    probabilities = np.array([[0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.1, 0.0, 0.9], [0.98, 0.01, 0.01]])
    found = detections_of(encoded(BOXES, anchors), probabilities, anchors, least_score=0.05)
    assert found.labels.tolist() == [1, 0, 1]
    assert found.scores == pytest.approx([0.9, 0.8, 0.1])
    assert found.boxes[:2] == pytest.approx(BOXES[[2, 1]], abs=1e-5)
    assert len(detections_of(encoded(BOXES, anchors), probabilities, anchors, most=1).labels) == 1
