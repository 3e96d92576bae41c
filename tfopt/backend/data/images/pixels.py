"""Pixels of the image data sets: scaled, and grey images with a channel axis."""

from __future__ import annotations

from typing import Literal

import numpy as np

from tfopt.backend.data.raw_inputs import RawInputs
from tfopt.backend.types import Array, Examples
from tfopt.errors import StageError

Scale = Literal["unit", "none"]
"""`unit`: 0..255 becomes 0..1; `none`: 0..255 stays. Both are float32, as models expect it."""


def scaled(images: Array, scale: Scale, largest: int = 255) -> Array:
    """Images as float32, in [0, 1] or as they are.

    Args:
        images: any numbers in [0, largest].
        scale: what to do.
        largest: the value that becomes 1.

    Raises:
        StageError: `scale` is neither `unit` nor `none`.
    """
    if scale not in ("unit", "none"):
        raise StageError(
            f"scale must be 'unit' (0..1) or 'none' (0..{largest}). Got {scale!r}.", code="invalid_argument"
        )
    images = images.astype(np.float32)
    if scale == "unit":
        images /= np.float32(largest)
    return images


def pixels(*, scale: Scale = "unit", largest: int = 255, ink: bool = False) -> RawInputs:
    """What `scaled` does to raw pixels; takes the arguments of a data set with `scale` and `ink` only."""
    return RawInputs(std=(float(largest),) if scale == "unit" else (1.0,), high=float(largest), images=True)


def grey(examples: Examples, scale: Scale) -> Examples:
    """Grey images (n, height, width) of 0..255 as (n, height, width, 1), scaled; labels as they are."""
    images, labels = examples
    return scaled(images[..., np.newaxis], scale), labels


def with_ink(examples: Examples) -> tuple[Array, dict[str, Array]]:
    """Images of digits with two targets: `digit`, (n,), and `ink`, (n, 1), the mean of the pixels of each image."""
    images, labels = examples
    return images, {"digit": labels, "ink": images.reshape(len(images), -1).mean(axis=1, keepdims=True)}
