"""The calls of a model's layers: input and output shapes of each call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import tensorflow as tf
import tf_keras

from tfopt.backend.graph.layers import nodes
from tfopt.backend.types import Shape


@dataclass(frozen=True)
class Call:
    """One call of a layer in the graph of a model.

    Args:
        layer: a layer that is not a model.
        inputs: shapes of all its input tensors, with the batch axis.
        output: shape of its first result, with the batch axis.
    """

    layer: tf_keras.layers.Layer
    inputs: tuple[Shape, ...]
    output: Shape


def calls(model: tf_keras.Model) -> Iterator[Call]:
    """All calls in the order of the graph; those inside a nested model at each of its calls."""
    for node in nodes(model):
        if isinstance(node.layer, tf_keras.Model):
            yield from calls(node.layer)
        elif not isinstance(node.layer, tf_keras.layers.InputLayer):
            inputs = tuple(_shape(tensor) for tensor in node.keras_inputs)
            yield Call(node.layer, inputs, _shape(tf.nest.flatten(node.outputs)[0]))


def _shape(tensor: tf.Tensor) -> Shape:
    return tuple(tensor.shape)
