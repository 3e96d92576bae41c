"""Inputs of a Keras 3 model as those of its counterpart."""

from __future__ import annotations

import keras
import tensorflow as tf
import tf_keras


def input_of(tensor: keras.KerasTensor) -> tf.Tensor:
    """The input of a functional model for one of Keras 3."""
    return input_layer(tensor).output


def input_layer(tensor: keras.KerasTensor) -> tf_keras.layers.InputLayer:
    """The layer of that input, under its name."""
    batch, *shape = tensor.shape
    layer = tensor._keras_history.operation
    return tf_keras.layers.InputLayer(
        input_shape=tuple(shape), batch_size=batch, dtype=tensor.dtype, sparse=tensor.sparse, name=layer.name
    )
