"""`x[:, 1:, ..., :2]` as a layer that picks a part of each example."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from tfopt.backend.quantization.canonical.custom_layers import Part, Slice
from tfopt.backend.quantization.canonical.rewrites.operators.operator_rewrite import (
    Arguments,
    Build,
    OperatorAsLayer,
    Tensors,
)
from tfopt.backend.types import Nested


class StridedSlice(OperatorAsLayer):
    def layer(self, symbol: str, arguments: Arguments, inputs: Tensors, output: tf.Tensor) -> Build | None:
        if symbol != "__operators__.getitem" or len(inputs) != 1:
            return None
        _, spec, *_ = arguments.values()
        parts = _parts(spec if isinstance(spec, (tuple, list)) else (spec,), len(inputs[0].shape))
        return None if parts is None else lambda name: Slice(parts, name=name)


def _parts(spec: Sequence[Nested], rank: int) -> tuple[Part, ...] | None:
    """Per axis after the batch; None where the batch is cut, an axis is added or a bound is a tensor."""
    if Ellipsis in spec:
        at = list(spec).index(Ellipsis)
        spec = (*spec[:at], *[slice(None)] * (rank - len(spec) + 1), *spec[at + 1 :])
    found = [_part(item) for item in spec]
    parts = [part for part in found if part is not None]
    if len(parts) < len(found) or not parts or parts[0] != (None, None, None):
        return None
    return tuple(parts[1:])


def _part(item: Nested) -> Part | None:
    if isinstance(item, int) and not isinstance(item, bool):
        return item
    if isinstance(item, dict):
        item = slice(item["start"], item["stop"], item["step"])
    if not isinstance(item, slice):
        return None
    bounds = (item.start, item.stop, item.step)
    return bounds if all(bound is None or isinstance(bound, int) for bound in bounds) else None
