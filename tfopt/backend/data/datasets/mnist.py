"""MNIST hand-written digits: 60,000 + 10,000 grey images of 28x28 in 10 classes."""

from __future__ import annotations

from typing import TypeAlias

import tf_keras

from tfopt.backend.data.datasets._keras_cache import CachedFile, ensure
from tfopt.backend.data.images.pixels import Scale, grey, pixels, with_ink
from tfopt.backend.data.label_names import labelled
from tfopt.backend.data.raw_inputs import described_by
from tfopt.backend.types import Array

_FILE = CachedFile.of_keras("mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1")

Labelled: TypeAlias = tuple[Array, Array | dict[str, Array]]
"""Images, and labels or both targets."""


@labelled(*"0123456789")
@described_by(pixels)
def load(*, scale: Scale = "unit", ink: bool = False) -> tuple[Labelled, Labelled]:
    """Reads MNIST (LeCun, Cortes, Burges 1998) through `keras.datasets` and its cache.

    Args:
        scale: `unit` results in 0..1, `none` keeps 0..255.
        ink: two targets by name: `digit`, and `ink`, the mean of the pixels.

    Returns:
        (images, labels) for training and for testing: (n, 28, 28, 1) float32, labels (n,).

    Raises:
        EnvironmentProblem: the file is neither in the cache nor to be downloaded, or is not the published one.
    """
    train, test = tf_keras.datasets.mnist.load_data(cache_dir=ensure(_FILE))
    read = grey(train, scale), grey(test, scale)
    return (with_ink(read[0]), with_ink(read[1])) if ink else read
