"""Boxes relative to anchors, as a detector predicts them, and back."""

from __future__ import annotations

import numpy as np

from tfopt.backend.types import Array
from tfopt.backend.vision.boxes import centred, corners

SCALES = np.array([10.0, 10.0, 5.0, 5.0])
"""Of the offsets x, y, width, height, so that all four are of the size of 1: as in SSD and TFLite's post-processing."""
_LARGEST = 10.0
"""Of a logarithm of a size: beyond it the exponential would overflow."""


def encoded(boxes: Array, anchors: Array) -> Array:
    """Offsets of boxes from anchors.

    Args:
        boxes: (..., 4) corners, of areas above 0.
        anchors: (..., 4) corners.

    Returns:
        (..., 4) float32: the centre's distance in sizes of the anchor, the logarithm of the sizes' ratio; times SCALES.
    """
    box, anchor = centred(boxes.astype(np.float64)), centred(anchors.astype(np.float64))
    centre = (box[..., :2] - anchor[..., :2]) / anchor[..., 2:]
    size = np.log(box[..., 2:] / anchor[..., 2:])
    result: Array = (np.concatenate([centre, size], axis=-1) * SCALES).astype(np.float32)
    return result


def decoded(offsets: Array, anchors: Array) -> Array:
    """The boxes, (..., 4) corners, that `encoded` made offsets of; not cut at the edges of the image."""
    offset, anchor = offsets.astype(np.float64) / SCALES, centred(anchors.astype(np.float64))
    centre = anchor[..., :2] + offset[..., :2] * anchor[..., 2:]
    size = anchor[..., 2:] * np.exp(np.minimum(offset[..., 2:], _LARGEST))
    return corners(np.concatenate([centre, size], axis=-1)).astype(np.float32)
