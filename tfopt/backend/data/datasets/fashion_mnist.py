"""Fashion-MNIST clothing: 60,000 + 10,000 grey images of 28x28 in 10 classes."""

from __future__ import annotations

import tf_keras

from tfopt.backend.data.datasets._keras_cache import CachedFile, ensure
from tfopt.backend.data.images.pixels import Scale, grey, pixels
from tfopt.backend.data.label_names import labelled
from tfopt.backend.data.raw_inputs import described_by
from tfopt.backend.types import Examples

_FILES = tuple(
    CachedFile.of_keras(name, sha256, folder="fashion-mnist")
    for name, sha256 in (
        ("train-images-idx3-ubyte.gz", "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        ("train-labels-idx1-ubyte.gz", "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        ("t10k-images-idx3-ubyte.gz", "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        ("t10k-labels-idx1-ubyte.gz", "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    )
)


@labelled("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
@described_by(pixels)
def load(*, scale: Scale = "unit") -> tuple[Examples, Examples]:
    """Reads Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747) through `keras.datasets` and its cache.

    Args:
        scale: `unit` results in 0..1, `none` keeps 0..255.

    Returns:
        (images, labels) for training and for testing: (n, 28, 28, 1) float32, labels (n,).

    Raises:
        EnvironmentProblem: the file is neither in the cache nor to be downloaded, or is not the published one.
    """
    train, test = tf_keras.datasets.fashion_mnist.load_data(cache_dir=ensure(*_FILES))
    return grey(train, scale), grey(test, scale)
