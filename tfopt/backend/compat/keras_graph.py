"""The graph of a tf_keras model, which has no public interface: its classes, and the calls ("nodes") of a layer.

All layers and all calls of a model: `backend/graph/layers.py`.
"""

from __future__ import annotations

from typing import Any

import tf_keras
from tf_keras.src.engine.functional import Functional
from tf_keras.src.engine.keras_tensor import KerasTensor
from tf_keras.src.layers.core.tf_op_layer import SlicingOpLambda, TFOpLambda

__all__ = [
    "Functional",
    "KerasTensor",
    "SlicingOpLambda",
    "TFOpLambda",
    "call_of",
    "inbound_nodes",
    "outbound_nodes",
]


def inbound_nodes(layer: tf_keras.layers.Layer) -> list[Any]:
    """The calls of a layer, those in other models included."""
    nodes: list[Any] = layer._inbound_nodes
    return nodes


def outbound_nodes(layer: tf_keras.layers.Layer) -> list[Any]:
    """The calls that consume an output of a layer, those in other models included."""
    nodes: list[Any] = layer._outbound_nodes
    return nodes


def call_of(tensor: KerasTensor) -> Any:
    """The call of a layer that returned a tensor of a functional model."""
    return tensor.node
