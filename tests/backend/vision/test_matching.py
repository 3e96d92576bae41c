"""Which anchor finds what, counted by hand."""

from __future__ import annotations

import numpy as np

from tfopt.backend.vision.anchors import AnchorGrid
from tfopt.backend.vision.coding import decoded
from tfopt.backend.vision.detections import objects_of
from tfopt.backend.vision.matching import matched, targets_of

ANCHORS = np.array([[0, 0, 2, 2], [2, 0, 4, 2], [0, 0, 2, 4]], float)


def test_all_above_the_threshold_and_the_best_of_each_object() -> None:
    boxes = np.array([[0, 0, 2, 2], [3, 0, 4, 1]], float)
    # The first box overlaps anchor 0 by 1 and anchor 2 by 1/2; the second overlaps anchor 1 by 1/4 only.
    assert matched(boxes, ANCHORS).tolist() == [0, 1, 0]
    assert matched(boxes, ANCHORS, threshold=0.6).tolist() == [0, 1, -1]
    assert matched(np.zeros((0, 4)), ANCHORS).tolist() == [-1, -1, -1]


def test_no_object_is_left_without_an_anchor() -> None:
    """Three boxes that all overlap anchor 0 most."""
    boxes = np.array([[0, 0, 2, 2], [0, 0, 1.9, 2], [0, 0, 1.8, 2]], float)
    assert sorted(matched(boxes, ANCHORS).tolist()) == [0, 1, 2]


def test_targets_give_back_the_objects() -> None:
    anchors = AnchorGrid((64, 64)).boxes()
    boxes = [np.array([[0.1, 0.1, 0.4, 0.5], [0.5, 0.4, 0.9, 0.8]], np.float32), np.zeros((0, 4), np.float32)]
    labels = [np.array([2, 0]), np.zeros(0, int)]
    targets = targets_of(boxes, labels, anchors)
    assert targets["boxes"].shape == (2, len(anchors), 4)
    assert set(np.unique(targets["classes"][0])) == {0, 1, 3}
    assert not targets["classes"][1].any()
    assert not targets["boxes"][1].any()
    found, names = objects_of(targets["boxes"][0], targets["classes"][0], anchors)
    order = np.argsort(-names)
    assert np.allclose(found[order], boxes[0], atol=1e-4)
    assert names[order].tolist() == [2, 0]
    of_first = targets["classes"][0] == 3
    assert np.allclose(decoded(targets["boxes"][0][of_first], anchors[of_first]), boxes[0][0], atol=1e-4)
