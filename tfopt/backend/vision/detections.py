"""From a detector's outputs to detections: decoded, without doubles; and from its targets back to objects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfopt.backend.types import Array
from tfopt.backend.vision.boxes import overlaps
from tfopt.backend.vision.coding import decoded
from tfopt.backend.vision.matching import BACKGROUND

_SAME = 1e-3
"""Boxes closer than this, in shares of the image, are one object that several anchors are to find."""


@dataclass(frozen=True, eq=False)
class Detections:
    """What was found in an image.

    Args:
        boxes: (n, 4) left, top, right, bottom as shares of width and height.
        labels: (n,) from 0.
        scores: (n,) falling.
    """

    boxes: Array
    labels: Array
    scores: Array


def kept(boxes: Array, scores: Array, threshold: float = 0.45, most: int = 100) -> Array:
    """Positions of the boxes that non-maximum suppression keeps, by falling score.

    Args:
        boxes: (n, 4), of one class.
        scores: (n,); equal ones in the order of the boxes.
        threshold: a box that overlaps a kept one by more is a double.
        most: how many are kept at most.
    """
    order = np.argsort(-scores, kind="stable")
    result: list[int] = []
    while order.size and len(result) < most:
        best, rest = order[0], order[1:]
        result.append(int(best))
        order = rest[overlaps(boxes[[best]], boxes[rest])[0] <= threshold]
    return np.array(result, int)


def detections_of(
    offsets: Array,
    probabilities: Array,
    anchors: Array,
    *,
    least_score: float = 0.02,
    threshold: float = 0.45,
    most: int = 100,
) -> Detections:
    """What a detector found in one image.

    Args:
        offsets: (anchors, 4), its output `boxes`.
        probabilities: (anchors, 1 + classes), its output `classes`; the first is background.
        anchors: (anchors, 4).
        least_score: detections below it are left out.
        threshold: of `kept`, within each class.
        most: how many are kept of each class, and of all.
    """
    boxes = decoded(offsets, anchors).clip(0, 1)
    parts = []
    for label in range(probabilities.shape[1] - 1):
        scores = probabilities[:, label + 1]
        sure = np.flatnonzero(scores >= least_score)
        chosen = sure[kept(boxes[sure], scores[sure], threshold, most)]
        parts.append((boxes[chosen], np.full(len(chosen), label), scores[chosen]))
    every, labels, scores = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(-scores, kind="stable")[:most]
    return Detections(every[order], labels[order], scores[order])


def objects_of(offsets: Array, classes: Array, anchors: Array) -> tuple[Array, Array]:
    """The objects of an image, from the targets that `targets_of` made of them.

    Args:
        offsets: (anchors, 4).
        classes: (anchors,), 0 for background.
        anchors: (anchors, 4).

    Returns:
        Boxes (objects, 4) and labels (objects,): each object once, however many anchors are to find it.
    """
    found = classes != BACKGROUND
    boxes, labels = decoded(offsets[found], anchors[found]), classes[found] - 1
    first: list[int] = []
    for k in range(len(boxes)):
        doubles = (np.abs(boxes[first] - boxes[k]).max(axis=1) < _SAME) & (labels[first] == labels[k])
        if not doubles.any():
            first.append(k)
    return boxes[first], labels[first]
