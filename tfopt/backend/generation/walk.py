"""The calls of a functional model, made one by one on given tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeGuard

import tensorflow as tf
import tf_keras

from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.generation.cached.attention import is_opened_attention, read_by_opened_attention
from tfopt.backend.generation.cached.own_cache import read_with_own_cache
from tfopt.backend.graph.layers import nodes
from tfopt.backend.quantization.canonical.replay import Args, Tensors, call_arguments, record_outputs
from tfopt.backend.types import Nested

Make: TypeAlias = Callable[[Node, Sequence[tuple[Args, dict[str, Nested]]]], Sequence[Nested]]
"""Makes one call for each of several runs: gets the call, and arguments of each; returns the outputs of each."""


def walk(model: tf_keras.Model, inputs: Sequence[Sequence[tf.Tensor]], make: Make) -> list[Nested]:
    """Runs a model several times side by side, call by call; nested models too.

    Args:
        model: functional, or a built Sequential.
        inputs: of each run: tensors in the order of the model's inputs.
        make: makes the calls of layers that are no models.

    Returns:
        The outputs of each run, in the structure of the model's.
    """
    runs: list[Tensors] = [
        {id(port): tensor for port, tensor in zip(model.inputs, given, strict=True)} for given in inputs
    ]
    for node in nodes(model):
        if node.is_input:
            continue
        arguments = [call_arguments(node, tensors) for tensors in runs]
        if is_graph(node.layer) and not is_opened_attention(node.layer):
            results = walk(node.layer, [tf.nest.flatten(args[0]) for args, _ in arguments], make)
        else:
            results = list(make(node, arguments))
        for outputs, tensors in zip(results, runs, strict=True):
            record_outputs(node, outputs, tensors)
    return [_taken(model._nested_outputs, tensors) for tensors in runs]


def unread(model: tf_keras.Model) -> frozenset[int]:
    """Calls (by identity) that serve only masks of attention which has a mask of its own with a state."""
    needed = {id(tensor) for tensor in model.outputs}
    found: set[int] = set()
    for node in reversed(list(nodes(model))):
        if node.is_input:
            continue
        if not any(id(tensor) in needed for tensor in tf.nest.flatten(node.outputs)):
            found.add(id(node))
            continue
        given = list(node.keras_inputs)
        own = read_with_own_cache(node.layer, given)
        if own is not None:
            given = own
        elif is_opened_attention(node.layer):
            given = read_by_opened_attention(node.layer, given)
        elif is_graph(node.layer):
            found |= unread(node.layer)
        needed |= {id(tensor) for tensor in given}
    return frozenset(found)


def called(node: Node, args: Args, kwargs: Mapping[str, Nested]) -> Nested:
    """What the layer of a node returns, outside of training.

    A model inside of the model expects sequences of the whole length; its `call` takes any.
    """
    layer = node.layer
    return (layer.call if is_graph(layer) else layer)(*args, **inference(node, kwargs))


def is_graph(layer: object) -> TypeGuard[tf_keras.Model]:
    """Whether a layer is a model whose calls are known."""
    return isinstance(layer, tf_keras.Model) and bool(getattr(layer, "_is_graph_network", False))


def inference(node: Node, kwargs: Mapping[str, Nested]) -> dict[str, Nested]:
    """Arguments of a call outside of training."""
    others = {name: value for name, value in kwargs.items() if name != "training"}
    return {**others, "training": False} if node.layer._call_spec.expects_training_arg else others


def _taken(structure: Nested, tensors: Tensors) -> Nested:
    return tf.nest.map_structure(lambda tensor: tensors[id(tensor)], structure)
