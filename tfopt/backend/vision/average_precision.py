"""Mean average precision: how many of the objects were found, how surely, and how much else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfopt.backend.types import Array
from tfopt.backend.vision.boxes import overlaps
from tfopt.backend.vision.detections import Detections

Objects = tuple[Array, Array]
"""Boxes (n, 4) and labels (n,) of an image."""


def mean_average_precision(found: Sequence[Detections], objects: Sequence[Objects], iou: float = 0.5) -> float:
    """Average precision of each class that occurs among the objects, averaged, as in Pascal VOC since 2010.

    Args:
        found: detections in each image.
        objects: what is in each image.
        iou: intersection over union from which a detection has found an object.

    Returns:
        Between 0 and 1; 0 where there are no objects.
    """
    classes = np.unique(np.concatenate([labels for _, labels in objects])) if objects else np.array([])
    return float(np.mean([average_precision(found, objects, int(k), iou) for k in classes])) if classes.size else 0.0


def average_precision(found: Sequence[Detections], objects: Sequence[Objects], label: int, iou: float = 0.5) -> float:
    """Area under precision over recall of one class, the precision being that of the best threshold at each recall.

    A detection finds the object that it overlaps most; the second that finds the same object is wrong.
    """
    scores: list[Array] = []
    hits: list[Array] = []
    total = 0
    for detections, (boxes, labels) in zip(found, objects, strict=True):
        wanted, of_class = boxes[labels == label], detections.labels == label
        total += len(wanted)
        scores.append(detections.scores[of_class])
        hits.append(_hits(detections.boxes[of_class], detections.scores[of_class], wanted, iou))
    if not total:
        return 0.0
    order = np.argsort(-np.concatenate(scores), kind="stable")
    right = np.cumsum(np.concatenate(hits)[order])
    precision = right / np.arange(1, len(right) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    gained = np.diff(right, prepend=0) / total
    return float(np.sum(best * gained))


def _hits(boxes: Array, scores: Array, wanted: Array, iou: float) -> Array:
    """Whether each detection finds an object that no surer one has found."""
    result = np.zeros(len(boxes), bool)
    if not len(wanted):
        return result
    each, taken = overlaps(boxes, wanted), np.zeros(len(wanted), bool)
    for k in np.argsort(-scores, kind="stable"):
        best = int(each[k].argmax())
        if each[k, best] >= iou and not taken[best]:
            result[k] = taken[best] = True
    return result
