"""Back to Keras 3, whether or not the model still has the sizes that it began with."""

from __future__ import annotations

from collections import Counter

import keras
import tf_keras

from tfopt.backend.bridge.reading.functionalize import functional
from tfopt.backend.bridge.restore import restore_keras3
from tfopt.backend.bridge.to_keras3 import to_keras


def back_to_keras3(origin: keras.Model, model: tf_keras.Model) -> keras.Model:
    """The Keras 3 model that a tf_keras model has become since it was made from one.

    Args:
        origin: the Keras 3 model that `model` was made from.
        model: what `to_tf_keras` made of it, since trained, shrunk, pruned or the like; free of wrappers.

    Returns:
        A copy of `origin` with the weights of `model`; where weights have other sizes, the graph of `model` in Keras 3.

    Raises:
        StageError: as of `restore_keras3` and `to_keras`.
    """
    return restore_keras3(origin, model) if _sizes(functional(origin)) == _sizes(model) else to_keras(model)


def _sizes(model: keras.Model | tf_keras.Model) -> Counter[tuple[int, ...]]:
    """How many weights of numbers there are of each shape."""
    weights = [weight for weight in model.weights if len(weight.shape) and "float" in str(weight.dtype)]
    return Counter(tuple(weight.shape) for weight in weights)
