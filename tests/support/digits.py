"""scikit-learn's handwritten digits, cut once: 1200 images to train, 200 to validate, 397 to test."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn.datasets import load_digits

from tfopt.backend.data.splits import Data, Split

TRAIN, VALIDATION, TEST = slice(0, 1200), slice(1200, 1400), slice(1400, None)


@cache
def digit_arrays() -> tuple[np.ndarray, np.ndarray]:
    """All 1797 images, (8, 8, 1) in 0..1, and their labels."""
    images, labels = load_digits(return_X_y=True)
    return (images / 16).astype(np.float32).reshape(-1, 8, 8, 1), labels.astype(np.int32)


@cache
def digits(train: int = 1200, rows: bool = False) -> Data:
    """The three splits.

    Args:
        train: training examples, the first ones.
        rows: sequences of 8 rows, (8, 8), for recurrent models, instead of images.
    """
    images, labels = digit_arrays()
    inputs = images[..., 0] if rows else images
    splits = [Split(inputs[cut], labels[cut]) for cut in (slice(0, train), VALIDATION, TEST)]
    return Data(*splits, source="digits", num_classes=10)


def training_images() -> np.ndarray:
    return digit_arrays()[0][TRAIN]
