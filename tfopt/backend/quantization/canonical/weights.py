"""Weights of a layer, by the names that the layer itself gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tf_keras

LayerWeights = Mapping[str, Sequence[np.ndarray]]
"""By layer name, the weights in the order of `layer.weights`."""


def leaf(variable: Any) -> str:
    """Name of a variable within its layer: `kernel` for `conv/kernel:0`."""
    return variable.name.split("/")[-1].split(":")[0]


def named(layer: tf_keras.layers.Layer) -> dict[str, np.ndarray]:
    """The weights of a layer by name, such as `kernel` and `bias`."""
    return {leaf(variable): variable.numpy() for variable in layer.weights}


def ordered(layer: tf_keras.layers.Layer, values: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """The inverse of `named`: in the order of `layer.weights`; names that the layer does not have are left out."""
    return [values[leaf(variable)] for variable in layer.weights]
