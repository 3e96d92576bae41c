"""Building a functional model anew, call by call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf
import tf_keras

from tfopt.backend.graph.layers import nodes

Tensors = dict[int, Any]
"""The new tensor of each old one, by identity."""


def arguments(node: Any, tensors: Tensors) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What a layer is called with in the new model, in whatever structure the tensors lie."""
    old = (node.call_args, node.call_kwargs)
    args, kwargs = tf.nest.map_structure(lambda value: tensors.get(id(value), value), old)
    return tuple(args), dict(kwargs)


def keep(node: Any, result: Any, tensors: Tensors) -> None:
    """Remembers the new results of a call."""
    for old, new in zip(tf.nest.flatten(node.outputs), tf.nest.flatten(result), strict=True):
        tensors[id(old)] = new


def rebuilt(
    model: tf_keras.Model,
    call: Callable[[Any, tuple[Any, ...], Mapping[str, Any]], Any],
    copy_input: Callable[[Any], Any],
) -> tuple[tf_keras.Model, Tensors]:
    """The model with every call made by somebody else.

    Args:
        model: functional, or a built Sequential.
        call: makes one call: given the old call and its new arguments, returns the new result.
        copy_input: makes the new input layer of an old one.

    Returns:
        A functional model with the same inputs and outputs in the same structure, and the new tensors.
    """
    tensors: Tensors = {}
    for node in nodes(model):
        if node.is_input:
            keep(node, copy_input(node.layer).output, tensors)
        else:
            args, kwargs = arguments(node, tensors)
            keep(node, call(node, args, kwargs), tensors)

    def new(structure: Any) -> Any:
        return tf.nest.map_structure(lambda tensor: tensors[id(tensor)], structure)

    return tf_keras.Model(new(model._nested_inputs), new(model._nested_outputs), name=model.name), tensors
