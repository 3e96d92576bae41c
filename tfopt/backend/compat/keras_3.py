"""Of Keras 3: the layers of a model at any depth, its outputs for other inputs, and names of layers without one."""

from __future__ import annotations

from collections.abc import Iterator

import keras
from keras.src.ops.node import Node
from keras.src.utils import naming

__all__ = ["Node", "all_layers", "naming", "outputs_for"]


def all_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Every layer object of a model: the model itself, nested models, their layers, and layers inside wrappers."""
    layers: Iterator[keras.layers.Layer] = model._flatten_layers()
    return layers


def outputs_for(model: keras.Model, inputs: object) -> object:
    """The outputs of a functional model for other symbolic inputs, of the same layers and without a nested model.

    Args:
        model: functional; its layers are shared.
        inputs: symbolic tensors in the structure of `model.input`; they may be results of other calls.
    """
    return model._run_through_graph(inputs, operation_fn=lambda operation: operation)
