"""One row of a comparison. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Row:
    """One variant, as means over its seeds.

    Args:
        name: of the variant.
        schedule: kind of its sparsity schedule; empty without pruning.
        allocation: how sparsity is spread over the layers, e.g. `uniform` or `uniform with rules`.
        seeds: the seeds, in order.
        sparsity: measured after the last stage, over the kernels of the prunable layers.
        metric: mean of the recipe's first metric, from running the file (without files: after the last stage).
        spread: standard deviation of the metric over the seeds; None for one seed.
        drop: how much worse than the dense model of the same seed.
        bytes: size of the file.
        gzip_bytes: the same, compressed.
        latency_ms: median of one example.
        seconds: time to train all stages, those from the store included.
        on_front: no other variant is both better and smaller (compressed).
        macs: multiply-accumulate operations for one example, after the last stage; None where they are not known.
        on_macs_front: no other variant is both better and has fewer operations.
        on_latency_front: no other variant is both better and faster.
    """

    name: str
    schedule: str
    allocation: str
    seeds: tuple[int, ...]
    sparsity: float | None
    metric: float | None
    spread: float | None
    drop: float | None
    bytes: float | None
    gzip_bytes: float | None
    latency_ms: float | None
    seconds: float
    on_front: bool = False
    macs: float | None = None
    on_macs_front: bool = False
    on_latency_front: bool = False


COLUMNS = tuple(field.name for field in fields(Row))
"""What a table can be sorted by."""
