"""A Reshape between a rounded tensor and a recurrent layer that TFLite runs as a loop (GRU, SimpleRNN, ConvLSTM, ...).

A loop that directly reads a rounded tensor, as it does where it is the first layer of the model, crashes the converter
when it gets calibration data (segmentation fault, TensorFlow 2.21). With a Reshape between the two, even to the same
shape, it converts.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.compat.keras_graph import call_of
from tfopt.backend.quantization.canonical.copying import copy_layer
from tfopt.backend.quantization.canonical.lstm_scales import is_lstm_operator
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights, named, ordered
from tfopt.backend.types import Array, Nested


class ReshapeBeforeLoop(Rewrite):
    title = ""

    def applies(self, site: RewriteSite) -> bool:
        layer = site.layer
        # `restore` finds weights by name; those of two directions, or of stacked cells, have the same names.
        return (
            _is_loop(layer)
            and len(named(layer)) == len(layer.weights)
            and len(site.inputs) == len(site.nodes)
            and all(map(_needs_reshape, site.inputs))
        )

    def replace(self, site: RewriteSite, inputs: tf.Tensor, **kwargs: Nested) -> tf.Tensor:
        shape = [-1 if size is None else size for size in inputs.shape[1:]]
        apart = site.make("apart", lambda name: layers.Reshape(shape, name=name))
        again = site.make("", lambda name: copy_layer(site.layer, name), named(site.layer))
        return again(apart(inputs), **kwargs)

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        return ordered(site.layer, weights[site.named()])


def _is_loop(layer: layers.Layer) -> bool:
    return isinstance(layer, layers.RNN) and not layer.stateful and not layer.unroll and not is_lstm_operator(layer)


def _needs_reshape(tensor: tf.Tensor) -> bool:
    """Whether a tensor is not the output of a Reshape already, and can be the input of one."""
    return not isinstance(call_of(tensor).layer, layers.Reshape) and tensor.shape[1:].as_list().count(None) <= 1
