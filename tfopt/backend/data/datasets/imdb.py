"""IMDB film reviews: 25,000 + 25,000 texts as word ids, 2 classes."""

from __future__ import annotations

import tf_keras

from tfopt.backend.data.datasets._keras_cache import CachedFile, ensure
from tfopt.backend.data.datasets._texts import padded
from tfopt.backend.types import Examples

_FILE = CachedFile.of_keras("imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f")


def load(*, num_words: int = 10_000, length: int = 256) -> tuple[Examples, Examples]:
    """Reads the IMDB reviews (Maas et al. 2011) through `keras.datasets` and its cache.

    Word ids count from the most frequent word; 0 is padding, 1 the start, 2 an unknown word.

    Args:
        num_words: ids below this are kept, all others become 2; the `input_dim` of an embedding.
        length: words per text; longer ones lose their beginning, shorter ones are padded in front.

    Returns:
        (word ids, labels) for training and for testing: (n, length) int32, labels (n,).

    Raises:
        EnvironmentProblem: the file is neither in the cache nor to be downloaded, or is not the published one.
    """
    train, test = tf_keras.datasets.imdb.load_data(num_words=num_words, cache_dir=ensure(_FILE))
    return padded(train, length), padded(test, length)
