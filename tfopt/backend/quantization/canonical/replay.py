"""Rebuilding a functional model, call by call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import tensorflow as tf
import tf_keras

from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.graph.layers import nodes
from tfopt.backend.types import Nested

Tensors: TypeAlias = dict[int, tf.Tensor]
"""The new tensor of each old one, by identity."""

Args: TypeAlias = tuple[Nested, ...]
Kwargs: TypeAlias = Mapping[str, Nested]
MakeCall: TypeAlias = Callable[[Node, Args, Kwargs], Nested]
"""Makes one call in the new model: gets the old call and its new arguments, returns the new outputs."""


def call_arguments(node: Node, tensors: Tensors) -> tuple[Args, dict[str, Nested]]:
    """The arguments of a call in the new model, in the same structure as in the old one."""
    old = (node.call_args, node.call_kwargs)
    args, kwargs = tf.nest.map_structure(lambda value: tensors.get(id(value), value), old)
    return tuple(args), dict(kwargs)


def record_outputs(node: Node, outputs: Nested, tensors: Tensors) -> None:
    """Adds the new outputs of a call to `tensors`."""
    for old, new in zip(tf.nest.flatten(node.outputs), tf.nest.flatten(outputs), strict=True):
        tensors[id(old)] = new


def rebuild(
    model: tf_keras.Model,
    make_call: MakeCall,
    copy_input: Callable[[tf_keras.layers.Layer], tf_keras.layers.Layer],
) -> tuple[tf_keras.Model, Tensors]:
    """Builds a model of which every call is made by `make_call`.

    Args:
        model: functional, or a built Sequential.
        make_call: makes one call.
        copy_input: returns the new input layer of an old one.

    Returns:
        A functional model with the same inputs and outputs in the same structure, and the new tensors.
    """
    tensors: Tensors = {}
    for node in nodes(model):
        if node.is_input:
            record_outputs(node, copy_input(node.layer).output, tensors)
        else:
            args, kwargs = call_arguments(node, tensors)
            record_outputs(node, make_call(node, args, kwargs), tensors)

    def new(structure: Nested) -> Nested:
        return tf.nest.map_structure(lambda tensor: tensors[id(tensor)], structure)

    return tf_keras.Model(new(model._nested_inputs), new(model._nested_outputs), name=model.name), tensors
