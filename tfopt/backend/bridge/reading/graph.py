"""Reading the graph of a Keras 3 model: its calls in order, without the arguments that Keras 3 added itself."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import tensorflow as tf

from tfopt.backend.compat.keras_3 import Node, call_signature
from tfopt.backend.types import Nested


@dataclass(frozen=True)
class Call:
    """One call of a layer or operation in the graph.

    Args:
        operation: a `keras.layers.Layer`, a `keras.Model` or an operation of `keras.ops`.
        args: with Keras tensors.
        kwargs: without `training`, values of None, and the masks that Keras 3 made.
        outputs: Keras tensors, flat.
    """

    operation: keras.Operation
    args: tuple[Nested, ...]
    kwargs: dict[str, Nested]
    outputs: list[keras.KerasTensor]

    @property
    def inputs(self) -> list[keras.KerasTensor]:
        """The Keras tensors among the arguments, flat."""
        flat = keras.tree.flatten((self.args, self.kwargs))
        return [value for value in flat if isinstance(value, keras.KerasTensor)]


def calls(model: keras.Model | keras.Function) -> list[Call]:
    """The calls that the outputs of a function or (Functional, built Sequential) model depend on, producers first."""
    graph = graph_of(model)
    nodes = [node for depth in sorted(graph._nodes_by_depth, reverse=True) for node in graph._nodes_by_depth[depth]]
    all_calls = [_call(node) for node in nodes if not node.is_input]
    needed = {id(tensor) for tensor in graph.outputs}
    kept: list[Call] = []
    for call in reversed(all_calls):
        if any(id(tensor) in needed for tensor in call.outputs):
            needed |= {id(tensor) for tensor in call.inputs}
            kept.append(call)
    return kept[::-1]


def graph_of(model: keras.Model | keras.Function) -> keras.Function:
    """The function or functional model that a Functional or built Sequential model is, or is built around."""
    return model._functional if isinstance(model, keras.Sequential) else model


def calls_of(layer: keras.layers.Layer) -> list[Call]:
    """The calls of a layer in all graphs that it is part of, the first one first."""
    return [_call(node) for node in layer._inbound_nodes]


def mask_of(tensor: keras.KerasTensor | tf.Tensor) -> keras.KerasTensor | tf.Tensor | None:
    """The mask that a tensor of either library carries, or None."""
    return getattr(tensor, "_keras_mask", None)


def _call(node: Node) -> Call:
    args, kwargs = node.arguments.args, node.arguments.kwargs
    kept = {
        key: value
        for key, value in kwargs.items()
        # Keras 3 writes down `training=False` where a default says so, and overrides it at fit; tf_keras would obey it.
        if key != "training" and not _is_nothing(value) and not _is_own_mask(key, value, node.operation, args, kwargs)
    }
    return Call(node.operation, args, kept, list(node.outputs))


def _is_nothing(value: Nested) -> bool:
    flat = keras.tree.flatten(value)
    return all(part is None for part in flat) and (value is None or len(flat) > 0)


def _is_own_mask(
    key: str, value: Nested, operation: keras.Operation, args: tuple[Nested, ...], kwargs: dict[str, Nested]
) -> bool:
    """Whether an argument is the mask that the layer would have found on its input anyway."""
    if key != "mask" and not key.endswith("_mask"):
        return False
    if key == "mask":
        carrier = args[0] if args else None
    else:
        parameters = call_signature(operation).parameters if isinstance(operation, keras.layers.Layer) else ()
        named = dict(zip(parameters, args, strict=False))
        carrier = {**named, **kwargs}.get(key.removesuffix("_mask"))
    masks, carriers = keras.tree.flatten(value), keras.tree.flatten(carrier)
    return len(masks) == len(carriers) and all(
        mask is None or _same(mask, mask_of(tensor)) for mask, tensor in zip(masks, carriers, strict=True)
    )


def _same(left: Nested, right: Nested) -> bool:
    """Whether two values are computed alike: after a load, the mask in the graph is not the object on the tensor."""
    if left is right:
        return True
    if not (isinstance(left, keras.KerasTensor) and isinstance(right, keras.KerasTensor)):
        if isinstance(left, keras.KerasTensor) or isinstance(right, keras.KerasTensor):
            return False
        return type(left) is type(right) and bool(left == right)
    first, second = getattr(left, "_keras_history", None), getattr(right, "_keras_history", None)
    if first is None or second is None or type(first.operation) is not type(second.operation):
        return False
    if isinstance(first.operation, keras.layers.Layer) or first.tensor_index != second.tensor_index:
        return False
    nodes = [history.operation._inbound_nodes[history.node_index].arguments for history in (first, second)]
    values = [keras.tree.flatten((arguments.args, arguments.kwargs)) for arguments in nodes]
    return len(values[0]) == len(values[1]) and all(_same(*pair) for pair in zip(*values, strict=True))


def is_own(operation: keras.Operation) -> bool:
    """Whether an operation is a layer of a class from outside Keras; a model has a graph of its own."""
    if not isinstance(operation, keras.layers.Layer) or isinstance(operation, keras.Model):
        return False
    return type(operation).__module__.split(".")[0] != "keras"


def parts_inside(layer: keras.Operation) -> list[keras.layers.Layer]:
    """The layers inside a layer, however deep."""
    parts: list[keras.layers.Layer] = list(layer._flatten_layers(include_self=False))
    return parts
