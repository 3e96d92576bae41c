"""The graph of a tf_keras model, which has no public interface: its classes, and the calls ("nodes") of a layer.

All layers and all calls of a model: `backend/graph/layers.py`.
"""

from __future__ import annotations

import copy

import tf_keras
from tf_keras.src.engine.functional import (
    Functional,
    connect_ancillary_layers,
    get_network_config,
    reconstruct_from_config,
)
from tf_keras.src.engine.keras_tensor import KerasTensor
from tf_keras.src.engine.node import Node
from tf_keras.src.layers.core.tf_op_layer import SlicingOpLambda, TFOpLambda

__all__ = [
    "Functional",
    "KerasTensor",
    "Node",
    "SlicingOpLambda",
    "TFOpLambda",
    "call_of",
    "functional_config",
    "functional_parts",
    "inbound_nodes",
    "keep_unconnected",
    "outbound_nodes",
]


def inbound_nodes(layer: tf_keras.layers.Layer) -> list[Node]:
    """The calls of a layer, those in other models included."""
    nodes: list[Node] = layer._inbound_nodes
    return nodes


def outbound_nodes(layer: tf_keras.layers.Layer) -> list[Node]:
    """The calls that consume an output of a layer, those in other models included."""
    nodes: list[Node] = layer._outbound_nodes
    return nodes


def call_of(tensor: KerasTensor) -> Node:
    """The call of a layer that returned a tensor of a functional model."""
    node: Node = tensor.node
    return node


def functional_config(model: Functional) -> dict[str, object]:
    """The configuration of a functional model, whatever arguments the constructor of its class has."""
    config: dict[str, object] = get_network_config(model, config={"name": model.name, "trainable": model.trainable})
    return copy.deepcopy(config)


def functional_parts(
    config: dict[str, object], custom_objects: dict[str, object] | None
) -> tuple[object, object, object]:
    """Inputs, outputs and created layers of a functional model, made from its configuration."""
    inputs, outputs, layers = reconstruct_from_config(config, custom_objects)
    return inputs, outputs, layers


def keep_unconnected(model: Functional, layers: object) -> None:
    """Keeps layers of a configuration on which no output depends."""
    connect_ancillary_layers(model, layers)
