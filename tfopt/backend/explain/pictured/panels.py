"""One picture of several panels: the image, its truth, and two predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfopt.backend.data.arrays.reading import named
from tfopt.backend.data.splits import Split
from tfopt.backend.explain.examples import encoded, pixels_of
from tfopt.backend.types import Array

ORDER = "Pictures show, from left to right: the image, its truth, the prediction of the model, that of the file."
_SIDE = 96
"""Pixels of the longer side of a panel, about."""
_GAP = 3
_COLOURS = np.array(
    [
        [38, 38, 38],
        [230, 159, 0],
        [86, 180, 233],
        [0, 158, 115],
        [240, 228, 66],
        [0, 114, 178],
        [213, 94, 0],
        [204, 121, 167],
        [153, 153, 153],
    ],
    np.uint8,
)
"""Of classes in turn, distinguishable with colour blindness too (Okabe and Ito 2008); the first is dark."""
_WITHOUT = np.array([255, 255, 255], np.uint8)


def image_of(split: Split, index: int) -> Array | None:
    """An example as pixels (height, width, 3), enlarged or thinned out to the size of a panel; None for no image."""
    for values in named(split.inputs).values():
        pixels = pixels_of(values[index], _SIDE)
        if pixels is not None:
            return np.repeat(_enlarged(pixels), 3 // pixels.shape[-1], axis=-1)
    return None


def coloured(classes: Array) -> Array:
    """A map of classes (height, width) as pixels (height, width, 3) of the size of a panel; white where it has none."""
    step = -(-max(classes.shape) // _SIDE)
    thinned = classes[::step, ::step]
    pixels = np.where((thinned >= 0)[..., np.newaxis], _COLOURS[np.maximum(thinned, 0) % len(_COLOURS)], _WITHOUT)
    return _enlarged(pixels.astype(np.uint8))


def framed(image: Array, boxes: Array, labels: Array) -> Array:
    """A panel with frames around objects, in the colours of their classes.

    Args:
        image: (height, width, 3).
        boxes: (n, 4) left, top, right, bottom as shares of width and height.
        labels: (n,) from 0.
    """
    panel: Array = image // 2 + 64  # paler, so that frames are seen
    height, width = panel.shape[:2]
    for box, label in zip(boxes, labels, strict=True):
        left, right = (int(np.clip(round(x * (width - 1)), 0, width - 1)) for x in (box[0], box[2]))
        top, bottom = (int(np.clip(round(y * (height - 1)), 0, height - 1)) for y in (box[1], box[3]))
        colour = _COLOURS[1 + int(label) % (len(_COLOURS) - 1)]
        panel[[top, bottom], left : right + 1] = colour
        panel[top : bottom + 1, [left, right]] = colour
    return panel


def side_by_side(panels: Sequence[Array]) -> str:
    """Panels of one height as a PNG, as a data URI."""
    gap = np.full((panels[0].shape[0], _GAP, 3), 255, np.uint8)
    parts = [part for panel in panels for part in (panel, gap)]
    return encoded(np.concatenate(parts[:-1], axis=1))


def class_name(label: int, names: Sequence[str] | None) -> str:
    """The name of a class, or its number."""
    return names[label] if names is not None and label < len(names) else f"class {label}"


def _enlarged(pixels: Array) -> Array:
    times = max(1, _SIDE // max(pixels.shape[:2]))
    return pixels.repeat(times, axis=0).repeat(times, axis=1)
