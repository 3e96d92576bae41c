"""Reuters newswire: 8,982 + 2,246 texts as word ids, 46 topics."""

from __future__ import annotations

import tf_keras

from tfopt.backend.data.datasets._keras_cache import CachedFile, ensure
from tfopt.backend.data.datasets._texts import padded
from tfopt.backend.types import Examples

_FILE = CachedFile.of_keras("reuters.npz", "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916")


def load(*, num_words: int = 10_000, length: int = 256) -> tuple[Examples, Examples]:
    """Reads the Reuters-21578 newswires, split as Keras splits them, through `keras.datasets` and its cache.

    Word ids count from the most frequent word; 0 is padding, 1 the start, 2 an unknown word.

    Args:
        num_words: ids below this are kept, all others become 2; the `input_dim` of an embedding.
        length: words per text; longer ones lose their beginning, shorter ones are padded in front.

    Returns:
        (word ids, labels) for training and for testing: (n, length) int32, labels (n,).

    Raises:
        EnvironmentProblem: the file is neither in the cache nor to be downloaded, or is not the published one.
    """
    train, test = tf_keras.datasets.reuters.load_data(num_words=num_words, cache_dir=ensure(_FILE))
    return padded(train, length), padded(test, length)
