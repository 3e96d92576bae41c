"""CIFAR-100: 50,000 + 10,000 colour images of 32x32 in 100 classes (or 20 coarse ones)."""

from __future__ import annotations

from typing import Literal

import tf_keras

from tfopt.backend.data.datasets._keras_cache import CachedFile, ensure
from tfopt.backend.data.images.pixels import Scale, pixels, scaled
from tfopt.backend.data.raw_inputs import described_by
from tfopt.backend.types import Examples

_FILE = CachedFile(
    "datasets/cifar-100-python.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
)


@described_by(lambda labels="fine", scale="unit": pixels(scale=scale))
def load(*, labels: Literal["fine", "coarse"] = "fine", scale: Scale = "unit") -> tuple[Examples, Examples]:
    """Reads CIFAR-100 (Krizhevsky 2009) through `keras.datasets` and its cache.

    Args:
        labels: `fine` for 100 classes, `coarse` for their 20 groups.
        scale: `unit` results in 0..1, `none` keeps 0..255.

    Returns:
        (images, labels) for training and for testing: (n, 32, 32, 3) float32, labels (n,).

    Raises:
        EnvironmentProblem: the file is neither in the cache nor to be downloaded, or is not the published one.
    """
    (train_images, train_labels), (test_images, test_labels) = tf_keras.datasets.cifar100.load_data(
        label_mode=labels, cache_dir=ensure(_FILE)
    )
    return (scaled(train_images, scale), train_labels.ravel()), (scaled(test_images, scale), test_labels.ravel())
