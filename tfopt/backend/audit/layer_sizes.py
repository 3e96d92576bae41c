"""Bytes of a file by layer, from the records of its tensors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from tfopt.core.records.layer_sizes import REST, LayerSizeRecord
from tfopt.core.records.report import TensorRecord


def layer_sizes(tensors: Iterable[TensorRecord], whole: int | None = None) -> list[LayerSizeRecord]:
    """Bytes by layer, the largest first.

    Args:
        tensors: of a file.
        whole: bytes of the file; without it, what is no tensor is left out.
    """
    found: dict[str, list[TensorRecord]] = {}
    for tensor in tensors:
        if tensor.bytes:
            found.setdefault(tensor.layer or tensor.name.partition(";")[0] or "(no name)", []).append(tensor)
    sizes = [
        LayerSizeRecord(
            layer=name,
            bytes=sum(tensor.bytes for tensor in own),
            entropy_bytes=_sum([tensor.entropy_bytes for tensor in own]),
            values=sum(prod(tensor.shape) for tensor in own),
        )
        for name, own in found.items()
    ]
    rest = 0 if whole is None else whole - sum(size.bytes for size in sizes)
    if rest > 0:
        sizes.append(LayerSizeRecord(layer=REST, bytes=rest))
    return sorted(sizes, key=lambda size: -size.bytes)


def _sum(bounds: Sequence[int | None]) -> int | None:
    known = [bound for bound in bounds if bound is not None]
    return sum(known) if len(known) == len(bounds) else None
