"""Small pictures and short texts of examples, for people."""

from __future__ import annotations

import base64

import numpy as np

from tfopt.backend.data.arrays.reading import named
from tfopt.backend.data.splits import Split
from tfopt.backend.types import Array

_PIXELS = 64
_LEAST_PIXELS = 6
_VALUES = 16
_CHARACTERS = 160


def picture(split: Split, index: int) -> str | None:
    """A PNG of an example as a data URI, at most 64 pixels wide and high; None where no input is an image.

    Args:
        split: examples; of several inputs, the first that is an image is shown.
        index: of the example.
    """
    for values in named(split.inputs).values():
        pixels = pixels_of(values[index])
        if pixels is not None:
            return encoded(pixels)
    return None


def encoded(pixels: Array) -> str:
    """8-bit pixels (height, width, channels) as a PNG, as a data URI."""
    import tensorflow as tf

    content = tf.io.encode_png(pixels).numpy()
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"


def text(split: Split, index: int) -> str:
    """The beginning of an example as text: numbers, or the strings themselves."""
    inputs = named(split.inputs)
    parts = [
        _text(values[index]) if len(inputs) == 1 else f"{name}: {_text(values[index])}"
        for name, values in inputs.items()
    ]
    return "; ".join(parts)


def values_text(values: Array) -> str:
    """A few numbers as text."""
    flat = np.asarray(values).reshape(-1)
    shown = ", ".join(f"{value:.4g}" for value in flat[:4])
    return f"{shown}, … ({flat.size} values)" if flat.size > 4 else shown


def pixels_of(example: Array, most: int = _PIXELS) -> Array | None:
    """8-bit pixels (height, width, channels), from the smallest to the largest value of the example.

    Args:
        example: of an input.
        most: pixels of the longer side; larger images are thinned out.

    Returns:
        None where the example is no image.
    """
    if example.dtype.kind not in "fiu" or example.ndim not in (2, 3):
        return None
    image = example[..., np.newaxis] if example.ndim == 2 else example
    if image.shape[-1] not in (1, 3) or min(image.shape[:2]) < _LEAST_PIXELS:
        return None
    step = -(-max(image.shape[:2]) // most)
    image = image[::step, ::step].astype(np.float64)
    low, high = float(np.nanmin(image)), float(np.nanmax(image))
    scaled = (image - low) / (high - low) if high > low else np.zeros_like(image)
    pixels: Array = np.nan_to_num(255 * scaled).round().astype(np.uint8)
    return pixels


def _text(example: Array) -> str:
    flat = np.asarray(example).reshape(-1)
    if flat.dtype.kind in "OSU":
        words = [item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in flat[:_VALUES]]
        return " ".join(words)[:_CHARACTERS]
    shown = " ".join(f"{value:.4g}" for value in flat[:_VALUES].astype(np.float64))
    return f"{shown} …" if flat.size > _VALUES else shown
