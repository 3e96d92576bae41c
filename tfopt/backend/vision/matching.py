"""Which anchor is to find which object of an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfopt.backend.types import Array
from tfopt.backend.vision.boxes import overlaps
from tfopt.backend.vision.coding import encoded

BOXES, CLASSES = "boxes", "classes"
"""Outputs of a detector, and its targets."""
BACKGROUND = 0
"""Class of an anchor that is to find nothing; label k of an object is class k + 1."""
_EXACT = np.float32(1e-6)
"""Offset of an object that is its anchor: offsets of 0 mean that there is no object."""


def matched(boxes: Array, anchors: Array, threshold: float = 0.5) -> Array:
    """The object of each anchor, as in SSD: an object has the anchor that overlaps it most, and all above a threshold.

    Args:
        boxes: (objects, 4).
        anchors: (anchors, 4), at least as many.
        threshold: of the intersection over union.

    Returns:
        (anchors,) positions in `boxes`; -1 where an anchor is to find nothing.
    """
    result = np.full(len(anchors), -1)
    if not len(boxes):
        return result
    each = overlaps(anchors, boxes)
    best = each.argmax(axis=1)
    result = np.where(each.max(axis=1) >= threshold, best, -1)
    # The best pairs first, so that an object is left without an anchor by no other one.
    for _ in range(len(boxes)):
        anchor, box = np.unravel_index(each.argmax(), each.shape)
        result[anchor] = box
        each[anchor], each[:, box] = -1, -1
    return result


def targets_of(boxes: Sequence[Array], labels: Sequence[Array], anchors: Array) -> dict[str, Array]:
    """What a detector is to return for each image.

    Args:
        boxes: of each image (objects, 4).
        labels: of each image (objects,), from 0.
        anchors: (anchors, 4).

    Returns:
        `boxes` (images, anchors, 4) float32: offsets, 0 where an anchor is to find nothing; `classes`
        (images, anchors) int32: 0 there, else 1 + the label.
    """
    offsets = np.zeros((len(boxes), len(anchors), 4), np.float32)
    classes = np.full((len(boxes), len(anchors)), BACKGROUND, np.int32)
    for image, (own, names) in enumerate(zip(boxes, labels, strict=True)):
        found, offsets_of_found, classes_of_found = targets_of_image(own, names, anchors)
        offsets[image, found], classes[image, found] = offsets_of_found, classes_of_found
    return {BOXES: offsets, CLASSES: classes}


def targets_of_image(boxes: Array, labels: Array, anchors: Array) -> tuple[Array, Array, Array]:
    """What a detector is to return where an anchor is to find something.

    Args:
        boxes: (objects, 4).
        labels: (objects,), from 0.
        anchors: (anchors, 4).

    Returns:
        Positions of these anchors (found,), their offsets (found, 4) float32 and their classes (found,) int32.
    """
    match = matched(boxes, anchors)
    found = np.flatnonzero(match >= 0)
    each = encoded(boxes[match[found]], anchors[found])
    offsets = np.where(each.any(axis=1, keepdims=True), each, _EXACT)
    return found, offsets, (labels[match[found]] + 1).astype(np.int32)
