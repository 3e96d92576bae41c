"""Weights of a layer, by the names that the layer itself gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import tensorflow as tf
import tf_keras

from tfopt.backend.types import Array

LayerWeights: TypeAlias = Mapping[str, Sequence[Array]]
"""By layer name, the weights in the order of `layer.weights`."""

NamedWeights: TypeAlias = Mapping[str, Mapping[str, Array]]
"""By layer name, the weights by their names within the layer, such as `kernel`."""


def leaf(variable: tf.Variable) -> str:
    """Name of a variable within its layer: `kernel` for `conv/kernel:0`."""
    return variable.name.split("/")[-1].split(":")[0]


def named(layer: tf_keras.layers.Layer) -> dict[str, Array]:
    """The weights of a layer by name, such as `kernel` and `bias`."""
    return {leaf(variable): variable.numpy() for variable in layer.weights}


def ordered(layer: tf_keras.layers.Layer, values: Mapping[str, Array]) -> list[Array]:
    """The inverse of `named`: in the order of `layer.weights`; names that the layer does not have are ignored."""
    return [values[leaf(variable)] for variable in layer.weights]
