"""Of Keras 3: layers at any depth, outputs for other inputs, names of layers without one, parameters of a call."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import Signature

import keras
from keras.src.ops.node import Node
from keras.src.utils import naming

__all__ = ["Node", "all_layers", "call_signature", "naming", "outputs_for"]


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


def call_signature(layer: keras.layers.Layer) -> Signature:
    """The parameters of `layer.call`."""
    signature: Signature = layer._call_signature
    return signature
