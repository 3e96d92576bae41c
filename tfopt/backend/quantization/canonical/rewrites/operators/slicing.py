"""`x[:, 1:, ..., :2]` as a layer that picks numbers and leaves them as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfopt.backend.quantization.canonical.custom_layers import Slice
from tfopt.backend.quantization.canonical.rewrites.operators.operator_rewrite import Build, OperatorAsLayer

Part = int | tuple[int | None, int | None, int | None]


class StridedSlice(OperatorAsLayer):
    def layer(self, symbol: str, arguments: Mapping[str, Any], inputs: tuple[Any, ...], output: Any) -> Build | None:
        if symbol != "__operators__.getitem" or len(inputs) != 1:
            return None
        _, spec, *_ = arguments.values()
        parts = _parts(spec if isinstance(spec, (tuple, list)) else (spec,), inputs[0].shape.rank)
        return None if parts is None else lambda name: Slice(parts, name=name)


def _parts(spec: Sequence[Any], rank: int) -> tuple[Part, ...] | None:
    """Per axis after the batch; None where the batch is cut, an axis is added or a bound is a tensor."""
    if Ellipsis in spec:
        at = list(spec).index(Ellipsis)
        spec = (*spec[:at], *[slice(None)] * (rank - len(spec) + 1), *spec[at + 1 :])
    parts = [_part(item) for item in spec]
    if None in parts or not parts or parts[0] != (None, None, None):
        return None
    return tuple(parts[1:])


def _part(item: Any) -> Part | None:
    if isinstance(item, int) and not isinstance(item, bool):
        return item
    if isinstance(item, dict):
        item = slice(item["start"], item["stop"], item["step"])
    if not isinstance(item, slice):
        return None
    bounds = (item.start, item.stop, item.step)
    return bounds if all(bound is None or isinstance(bound, int) for bound in bounds) else None
