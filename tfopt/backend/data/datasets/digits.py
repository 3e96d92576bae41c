"""Hand-written digits of scikit-learn: 1,797 grey images of 8x8 in 10 classes; needs no network."""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn.datasets import load_digits

from tfopt.backend.data.images.pixels import Scale, pixels, scaled, with_ink
from tfopt.backend.data.label_names import labelled
from tfopt.backend.data.raw_inputs import described_by
from tfopt.backend.types import Array


@labelled(*"0123456789")
@described_by(partial(pixels, largest=16))
def load(*, scale: Scale = "unit", ink: bool = False) -> tuple[Array, Array | dict[str, Array]]:
    """Reads the images that come inside the scikit-learn wheel.

    From the UCI data set "Optical Recognition of Handwritten Digits" (Alpaydin, Kaynak 1998). It has no test split of
    its own: `data.splits` cuts one.

    Args:
        scale: `unit` results in 0..1, `none` keeps 0..16.
        ink: two targets by name: `digit`, and `ink`, the mean of the pixels.

    Returns:
        Images (1797, 8, 8, 1) float32 and labels (1797,).
    """
    digits = load_digits()
    read = scaled(digits.images[..., np.newaxis], scale, largest=16), digits.target
    return with_ink(read) if ink else read
