"""Arguments of TensorFlow operators that are sizes, with the sizes of what is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tfopt.backend.compat.keras_graph import KerasTensor, Node, SlicingOpLambda, TFOpLambda
from tfopt.backend.shrinking.graph.rules.operators import bound, constant, slices_of
from tfopt.backend.types import Array, Nested, Shape

Stays = Callable[[KerasTensor, int], "Array | None"]
"""Whether each position along an axis of a tensor stays; None where all do."""


def changed_arguments(
    node: Node, args: tuple[Nested, ...], kwargs: dict[str, Nested], after: Sequence[Shape], stays: Stays
) -> tuple[tuple[Nested, ...], dict[str, Nested]]:
    """The arguments of a call with the sizes of what is left.

    Args:
        node: the call in the old model.
        args: its arguments with new tensors.
        kwargs: the same by name.
        after: new shapes of its outputs.
        stays: of a tensor of the old model.
    """
    layer = node.layer
    if isinstance(layer, SlicingOpLambda):
        return (args[0], _bounds(node, args[1], stays), *args[2:]), kwargs
    if not isinstance(layer, TFOpLambda) or layer.symbol not in ("reshape", "split"):
        return args, kwargs
    arguments = bound(layer.function, args, kwargs)
    if layer.symbol == "reshape":
        shape = constant(arguments["shape"])
        shape = list(shape) if isinstance(shape, list | tuple) else shape
        if isinstance(shape, list):
            arguments["shape"] = [
                size if new is None or not isinstance(size, int | np.integer) or size < 0 else new
                for size, new in zip(shape, after[0], strict=True)
            ]
    else:
        axis = arguments["axis"] % len(after[0])
        if all(shape[axis] is not None for shape in after):
            arguments["num_or_size_splits"] = [shape[axis] for shape in after]
            arguments["num"] = None
    return (), arguments


def _bounds(node: Node, key: Nested, stays: Stays) -> Nested:
    """The key of a slicing operator, with bounds that count what stays before them."""
    tensor = node.call_args[0]
    steps = slices_of(key, len(tensor.shape)).steps
    parts: list[object] = []
    for axis, part in steps:
        left = None if axis is None or not isinstance(part, dict) else stays(tensor, axis)
        if left is None or part["start"] == part["stop"] is None:
            parts.append(part)
            continue
        start, stop, _ = slice(part["start"], part["stop"]).indices(len(left))
        parts.append({"start": int(left[:start].sum()), "stop": int(left[:stop].sum()), "step": None})
    return _as_slices(parts)


def _as_slices(parts: list[object]) -> Nested:
    return tuple(slice(part["start"], part["stop"], part["step"]) if isinstance(part, dict) else part for part in parts)
