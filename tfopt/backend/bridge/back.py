"""Back to Keras 3, whether or not the model still has the sizes and the layers that it began with."""

from __future__ import annotations

from collections import Counter

import keras
import tf_keras

from tfopt.backend.bridge.reading.functionalize import functional
from tfopt.backend.bridge.restore import restore_keras3
from tfopt.backend.bridge.to_keras3 import to_keras
from tfopt.errors import StageError


def back_to_keras3(origin: keras.Model, model: tf_keras.Model) -> keras.Model:
    """The Keras 3 model that a tf_keras model has become since it was made from one.

    Args:
        origin: the Keras 3 model that `model` was made from.
        model: what `to_tf_keras` made of it, since trained, shrunk, pruned, joined with others or the like; free of
            wrappers.

    Returns:
        A copy of `origin` with the weights of `model`; where weights have other sizes, the graph of `model` in Keras 3.
        It takes and returns a dict where `origin` does.

    Raises:
        StageError: as of `restore_keras3` and `to_keras`.
    """
    graph = functional(origin)
    return restore_keras3(origin, model) if _sizes(graph) == _sizes(model) else _arranged(to_keras(model), graph)


def without_way_back(model: tf_keras.Model) -> str | None:
    """Why a model with layers that its origin did not have cannot be one of Keras 3; None where it can.

    Args:
        model: with whatever weights.
    """
    try:
        to_keras(model)
    except StageError as error:
        return error.message
    return None


def _arranged(model: keras.Model, origin: keras.Model) -> keras.Model:
    """The model with its inputs and outputs in the nesting of another one, which has as many."""
    if isinstance(model, keras.Sequential):
        return model
    inputs, outputs = (
        keras.tree.pack_sequence_as(nested, flat)
        for nested, flat in ((origin.input, model.inputs), (origin.output, model.outputs))
    )
    return keras.Model(inputs, outputs, name=model.name)


def _sizes(model: keras.Model | tf_keras.Model) -> Counter[tuple[int, ...]]:
    """How many weights of numbers there are of each shape."""
    weights = [weight for weight in model.weights if len(weight.shape) and "float" in str(weight.dtype)]
    return Counter(tuple(weight.shape) for weight in weights)
