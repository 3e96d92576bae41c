"""TensorFlow operators in a functional model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfopt.backend.compat.keras_graph import SlicingOpLambda, TFOpLambda
from tfopt.backend.shrinking.graph.activations import computes_each_alone
from tfopt.backend.shrinking.graph.call import Call, Labelled
from tfopt.backend.shrinking.graph.rules.contraction import contracted
from tfopt.backend.shrinking.graph.rules.rule import Rule
from tfopt.backend.shrinking.graph.rules.shapes import concatenated, to_shape
from tfopt.backend.types import Array, Nested

Arguments = Mapping[str, Any]
"""Arguments of an operator by its own names, defaults included."""


def _operator(call: Call) -> list[Array]:
    arguments = bound(call.layer.function, tuple(call.args), call.kwargs)
    rule = _BY_SYMBOL.get(call.layer.symbol or "")
    if rule is not None:
        return rule(call, arguments)
    flat = tf.nest.flatten(dict(arguments))
    tensors = [value for value in flat if isinstance(value, Labelled)]
    constants = [
        value for value in flat if not isinstance(value, Labelled | str | bytes | tf.DType) and value is not None
    ]
    single = all(np.size(value) <= 1 for value in constants)
    if call.keeps_places(tensors) and single and computes_each_alone(call.layer.function, arguments, Labelled):
        name = f"{call.path!r} uses one value of it for many units"
        return [call.units.merged([(one.labels, one.shape) for one in tensors], call.output_shapes[0], name)]
    return _unknown(call, arguments)


def bound(function: Callable[..., Any], args: tuple[Nested, ...], kwargs: Arguments) -> dict[str, Any]:
    """Arguments of an operator by its own names, defaults included."""
    found = inspect.signature(function).bind(*args, **kwargs)
    found.apply_defaults()
    return dict(found.arguments)


def constant(value: Nested) -> Nested:
    """An argument that may be written as an array, as a list."""
    return np.asarray(value).tolist() if isinstance(value, np.ndarray | tf.Tensor) else value


def _unknown(call: Call, arguments: Arguments) -> list[Array]:
    why = f"is an operator ({call.layer.symbol}) that is taken as it is"
    for value in tf.nest.flatten(dict(arguments)):
        if isinstance(value, Labelled):
            call.fix(value.labels, why)
    return [call.units.kept(len(shape), f"{call.path!r} {why}") for shape in call.output_shapes]


def _first(arguments: Arguments) -> Labelled | None:
    value = next(iter(arguments.values()))
    return value if isinstance(value, Labelled) else None


def _reshape(call: Call, arguments: Arguments) -> list[Array]:
    tensor = _first(arguments)
    if tensor is None or isinstance(arguments["shape"], Labelled):
        return _unknown(call, arguments)
    return to_shape(call, tensor.labels, tensor.shape, call.output_shapes[0])


def _transpose(call: Call, arguments: Arguments) -> list[Array]:
    tensor, order = arguments["a"], constant(arguments["perm"])
    if order is None or tf.nest.flatten(order)[0] != 0:
        return _unknown(call, arguments)
    return [tensor.labels.transpose(tuple(order))]


def _concatenate(call: Call, arguments: Arguments) -> list[Array]:
    tensors = arguments["values"]
    if not all(isinstance(one, Labelled) for one in tensors):
        return _unknown(call, arguments)
    return concatenated(call, [(one.labels, one.shape) for one in tensors], arguments["axis"])


def _split(call: Call, arguments: Arguments) -> list[Array]:
    return divided(call, arguments["value"], arguments["axis"])


def divided(call: Call, tensor: Labelled, axis: int) -> list[Array]:
    """Labels of the parts of a tensor that is split along an axis; one object for all where no units lie along it."""
    axis %= len(call.output_shapes[0])
    labels = call.units.compressed(tensor.labels)
    if labels.shape[axis] == 1:
        return [labels for _ in call.output_shapes]
    ends = np.cumsum([int(shape[axis] or 0) for shape in call.output_shapes])[:-1]
    parts = np.split(labels, ends, axis)
    for part in parts:
        call.units.part(part)
    return list(parts)


def _reduce(call: Call, arguments: Arguments) -> list[Array]:
    return reduced(call, arguments["input_tensor"], arguments["axis"])


def reduced(call: Call, tensor: Labelled, over: Any) -> list[Array]:
    """Labels of a mean, sum or the like over some axes."""
    rank = len(tensor.shape)
    axes = range(rank) if over is None else np.atleast_1d(over).tolist()
    labels = call.units.compressed(tensor.labels)
    gone = sorted({axis % rank for axis in axes})
    for axis in gone:
        if labels.shape[axis] > 1:
            if labels.size == labels.shape[axis]:
                call.fix(labels, "computes one value from all units")
            call.units.unite(labels.take([0], axis), labels)
            labels = labels.take([0], axis)
    return [labels if len(call.output_shapes[0]) == rank else np.squeeze(labels, tuple(gone))]


def _softmax(call: Call, arguments: Arguments) -> list[Array]:
    tensor = _first(arguments)
    if tensor is None:
        return _unknown(call, arguments)
    axis = -1 if arguments.get("axis") is None else arguments["axis"]
    if call.units.compressed(tensor.labels).shape[axis] > 1:
        call.fix(tensor.labels, "normalizes over the units")
    return [tensor.labels]


def _product(call: Call, arguments: Arguments) -> list[Array]:
    one, other = arguments["a"], arguments["b"]
    if not isinstance(one, Labelled) or not isinstance(other, Labelled) or len(one.shape) != len(other.shape):
        return _unknown(call, arguments)
    letters = "abcdefgh"[: len(one.shape) - 2]
    left = f"{letters}zy" if arguments["transpose_a"] else f"{letters}yz"
    right = f"{letters}xz" if arguments["transpose_b"] else f"{letters}zx"
    return [contracted(call, [(one.labels, left), (other.labels, right)], f"{letters}yx")]


def _einsum(call: Call, arguments: Arguments) -> list[Array]:
    equation, tensors = arguments["equation"], arguments["inputs"]
    if not all(isinstance(one, Labelled) for one in tensors) or "->" not in equation or "..." in equation:
        return _unknown(call, arguments)
    left, output = equation.replace(" ", "").split("->")
    operands = [(one.labels, letters) for one, letters in zip(tensors, left.split(","), strict=True)]
    return [contracted(call, operands, output)]


def _shape(call: Call, arguments: Arguments) -> list[Array]:
    tensor = arguments["input"]
    rank = len(tensor.shape)
    read: set[int] = set()
    for node in call.layer.outbound_nodes:
        parts = slices_of(node.call_args[1], 1).steps if isinstance(node.layer, SlicingOpLambda) else []
        one = parts[0][1] if len(parts) == 1 else None
        read |= {one % rank} if isinstance(one, int) else set(range(rank))
    if any(call.units.compressed(tensor.labels).shape[axis] > 1 for axis in read):
        call.fix(tensor.labels, "reads how many there are")
    return [call.units.kept(len(shape), f"{call.path!r} is a size") for shape in call.output_shapes]


def _stack(call: Call, arguments: Arguments) -> list[Array]:
    tensors = arguments["values"]
    if not isinstance(tensors, list | tuple) or not all(isinstance(one, Labelled) for one in tensors):
        return _unknown(call, arguments)
    return stacked(call, tensors, arguments["axis"])


def stacked(call: Call, tensors: Sequence[Labelled], axis: int) -> list[Array]:
    """Labels of tensors side by side along a new axis."""
    axis %= len(call.output_shapes[0])
    if axis == 0:
        return call.unknown("stacks examples")
    lifted = [(np.expand_dims(one.labels, axis), (*one.shape[:axis], 1, *one.shape[axis:])) for one in tensors]
    return concatenated(call, lifted, axis)


def _reverse(call: Call, arguments: Arguments) -> list[Array]:
    tensor, axes = arguments["tensor"], constant(arguments["axis"])
    if not isinstance(tensor, Labelled) or isinstance(axes, Labelled):
        return _unknown(call, arguments)
    labels = turned(call, tensor, axes)
    return _unknown(call, arguments) if labels is None else [labels]


def turned(call: Call, tensor: Labelled, axes: int | Sequence[int] | None) -> Array | None:
    """Labels of a tensor that is turned round along some axes, None for all; None where the units are turned round."""
    labels = call.units.compressed(tensor.labels)
    named = range(labels.ndim) if axes is None else np.atleast_1d(axes).tolist()
    return None if any(labels.shape[axis] > 1 for axis in named) else labels


def _expand(call: Call, arguments: Arguments) -> list[Array]:
    tensor = arguments["input"]
    axis = arguments["axis"] % len(call.output_shapes[0])
    return [np.expand_dims(tensor.labels, axis)] if axis else _unknown(call, arguments)


def _squeeze(call: Call, arguments: Arguments) -> list[Array]:
    tensor = _first(arguments)
    axes = arguments.get("axis")
    if tensor is None or axes is None:
        return _unknown(call, arguments)
    return [np.squeeze(tensor.labels, tuple(np.atleast_1d(axes).tolist()))]


def _pad(call: Call, arguments: Arguments) -> list[Array]:
    tensor = arguments["tensor"]
    labels = padded(call, tensor, arguments["paddings"])
    return _unknown(call, arguments) if labels is None else [labels]


def padded(call: Call, tensor: Labelled, amounts: Sequence[Sequence[object]]) -> Array | None:
    """Labels of a tensor with values before and behind each axis; None where units would be added."""
    labels = call.units.compressed(tensor.labels)
    varying = [axis for axis, size in enumerate(labels.shape) if size > 1]
    if any(isinstance(one, Labelled) or np.any(np.asarray(amounts[axis])) for axis in varying for one in amounts[axis]):
        return None
    return labels


def _resize(call: Call, arguments: Arguments) -> list[Array]:
    axis = len(call.shapes[0]) - 1
    return [call.units.along(call.inputs[0], axis, call.inputs[0].shape[axis]).reshape((1, 1, 1, -1))]


FULL_SLICE: Mapping[str, None] = {"start": None, "stop": None, "step": None}
"""A slice that takes all, as the dictionary of its bounds."""


@dataclass(frozen=True)
class Slices:
    """What a slicing operator does with each axis of its input.

    Args:
        steps: for each axis of the input in order `(axis, key)`; axis None for a new axis.
    """

    steps: Sequence[tuple[int | None, Any]]


def slices_of(key: Nested, rank: int) -> Slices:
    """The parts of a key of `tensor[key]`, without the ellipsis."""
    parts = list(key) if isinstance(key, list | tuple) else [key]
    used = sum(part is not None and part is not Ellipsis for part in parts)
    if Ellipsis not in [part for part in parts if part is Ellipsis]:
        parts.append(Ellipsis)
    index = next(index for index, part in enumerate(parts) if part is Ellipsis)
    parts[index : index + 1] = [FULL_SLICE] * (rank - used)
    steps: list[tuple[int | None, Any]] = []
    axis = 0
    for part in parts:
        steps.append((None, None) if part is None else (axis, part))
        axis += part is not None
    return Slices(steps)


def _slice(call: Call) -> list[Array]:
    tensor = call.args[0]
    if not isinstance(tensor, Labelled):
        return call.unknown("is taken as it is")
    return sliced(call, tensor, call.args[1])


def sliced(call: Call, tensor: Labelled, key: Nested) -> list[Array]:
    """Labels of `tensor[key]`; slices in the key are dictionaries of their bounds."""
    labels = call.units.compressed(tensor.labels)
    found: list[Any] = []
    for axis, part in slices_of(key, len(tensor.shape)).steps:
        if axis is None:
            found.append(None)
            continue
        varies = labels.shape[axis] > 1
        if not isinstance(part, dict):
            if varies:
                call.fix(labels, "takes one unit")
            found.append(0 if not varies or isinstance(part, Labelled) else int(part))
            continue
        if not varies or part == FULL_SLICE:
            found.append(slice(None))
        elif part["step"] in (None, 1) and not any(isinstance(one, Labelled) for one in part.values()):
            found.append(slice(part["start"], part["stop"]))
            inside = np.moveaxis(labels, axis, 0)[slice(part["start"], part["stop"])]
            call.units.part(inside)
        else:
            call.fix(labels, "takes some of the units")
            found.append(slice(0, 1))
    return [labels[tuple(found)]]


_BY_SYMBOL: Mapping[str, Callable[[Call, Arguments], list[Array]]] = {
    "reshape": _reshape,
    "compat.v1.transpose": _transpose,
    "transpose": _transpose,
    "concat": _concatenate,
    "stack": _stack,
    "split": _split,
    "nn.softmax": _softmax,
    "nn.log_softmax": _softmax,
    "linalg.matmul": _product,
    "einsum": _einsum,
    "compat.v1.shape": _shape,
    "shape": _shape,
    "expand_dims": _expand,
    "compat.v1.squeeze": _squeeze,
    "squeeze": _squeeze,
    "compat.v1.pad": _pad,
    "pad": _pad,
    "reverse": _reverse,
    "image.resize": _resize,
    **{f"math.reduce_{name}": _reduce for name in ("mean", "sum", "max", "min", "variance", "std", "prod")},
}

RULES = {TFOpLambda: Rule(_operator), SlicingOpLambda: Rule(_slice)}
