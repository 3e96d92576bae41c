"""Boxes as left, top, right and bottom, in shares of the width and height of an image: areas and overlaps."""

from __future__ import annotations

import numpy as np

from tfopt.backend.types import Array


def areas(boxes: Array) -> Array:
    """Areas (...,) of boxes (..., 4); 0 for a box whose sides are in the wrong order."""
    result: Array = np.prod(np.maximum(boxes[..., 2:] - boxes[..., :2], 0), axis=-1)
    return result


def overlaps(boxes: Array, others: Array) -> Array:
    """Intersection over union of each pair.

    Args:
        boxes: (n, 4).
        others: (m, 4).

    Returns:
        (n, m); 0 where both areas are 0.
    """
    low = np.maximum(boxes[:, np.newaxis, :2], others[np.newaxis, :, :2])
    high = np.minimum(boxes[:, np.newaxis, 2:], others[np.newaxis, :, 2:])
    both = np.prod(np.maximum(high - low, 0), axis=-1)
    union = areas(boxes)[:, np.newaxis] + areas(others)[np.newaxis] - both
    result: Array = np.divide(both, union, out=np.zeros_like(union), where=union > 0)
    return result


def centred(boxes: Array) -> Array:
    """Corners (..., 4) as centre x, centre y, width, height."""
    sizes = boxes[..., 2:] - boxes[..., :2]
    return np.concatenate([boxes[..., :2] + sizes / 2, sizes], axis=-1)


def corners(boxes: Array) -> Array:
    """Centre x, centre y, width, height (..., 4) as corners."""
    half = boxes[..., 2:] / 2
    return np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)
