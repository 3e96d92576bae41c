"""CIFAR-10: 50,000 + 10,000 colour images of 32x32 in 10 classes."""

from __future__ import annotations

import tf_keras

from tfopt.backend.data.datasets._keras_cache import CachedFile, ensure
from tfopt.backend.data.images.pixels import Scale, pixels, scaled
from tfopt.backend.data.label_names import labelled
from tfopt.backend.data.raw_inputs import described_by
from tfopt.backend.types import Examples

_FILE = CachedFile(
    "datasets/cifar-10-batches-py.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)


@labelled("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
@described_by(pixels)
def load(*, scale: Scale = "unit") -> tuple[Examples, Examples]:
    """Reads CIFAR-10 (Krizhevsky 2009) through `keras.datasets` and its cache.

    Args:
        scale: `unit` results in 0..1, `none` keeps 0..255.

    Returns:
        (images, labels) for training and for testing: (n, 32, 32, 3) float32, labels (n,).

    Raises:
        EnvironmentProblem: the file is neither in the cache nor to be downloaded, or is not the published one.
    """
    (train_images, train_labels), (test_images, test_labels) = tf_keras.datasets.cifar10.load_data(
        cache_dir=ensure(_FILE)
    )
    return (scaled(train_images, scale), train_labels.ravel()), (scaled(test_images, scale), test_labels.ravel())
