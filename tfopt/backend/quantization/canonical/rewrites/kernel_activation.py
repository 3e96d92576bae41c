"""Activation functions that are separate operators in TFLite, moved out of the kernel's layer.

Inside, the output of the kernel itself has no range from training: with swish CONV_2D, LOGISTIC and MUL stay float
(TF 2.21, without calibration data).
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.graph.connections import function_name
from tfopt.backend.quantization.canonical.copying import copy_layer
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights, named, ordered
from tfopt.backend.types import Array

_KERNELS = (layers.Conv2D, layers.Conv2DTranspose, layers.Dense, layers.DepthwiseConv2D)
_INSIDE = frozenset({"linear", "relu", "relu6", "sigmoid", "softmax", "tanh"})
"""Functions that TFLite fuses, or whose input is rounded inside the layer."""


class SeparateActivation(Rewrite):
    title = "activation as a separate layer"

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) in _KERNELS and function_name(site.layer) not in _INSIDE

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        layer = site.layer
        config = {**layer.get_config(), "activation": "linear", "activity_regularizer": None}
        kernel = site.make("", lambda name: type(layer).from_config({**config, "name": name}), named(layer))
        activation = site.make("activation", lambda name: _activation(layer, name))
        return activation(kernel(inputs))

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        return ordered(site.layer, weights[site.name])


def _activation(layer: layers.Layer, name: str) -> layers.Layer:
    if isinstance(layer.activation, layers.Layer):
        return copy_layer(layer.activation, name)
    return layers.Activation(layer.activation, activity_regularizer=layer.activity_regularizer, name=name)
