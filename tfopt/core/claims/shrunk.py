"""Claims about a file of a network that a shrink stage made smaller. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from tfopt.core.claims.recurrent import FUSED_LSTM, RECURRENT
from tfopt.core.language.quantities import format_share
from tfopt.core.records.report import AuditRecord, ClaimRecord, LayerRecord
from tfopt.core.records.shrunk import Shrunk

LATENCY_TOLERANCE = 0.05
"""How far above its limit a latency may be measured: two measurements of one file differ by as much."""


def smaller_tensors_claim(shrunk: Shrunk, layers: Sequence[LayerRecord], audit: AuditRecord) -> ClaimRecord:
    """The file holds no more weights for a layer than the smaller network has.

    Of a recurrent layer that is computed step by step, the largest kernel counts: in an integer file, each step has
    copies of the kernels in scales of its own.

    Args:
        shrunk: the promise of the stage.
        layers: layer records of the last stage.
        audit: what the file contains.
    """
    sizes = {layer.name: layer.parameters for layer in layers}
    recurrent = {layer.name for layer in layers if layer.type in RECURRENT}
    held: dict[str, int] = {}
    for tensor in audit.tensors:
        if tensor.role == "weight" and tensor.layer is not None:
            before, size = held.get(tensor.layer, 0), prod(tensor.shape)
            by_step = tensor.layer in recurrent and tensor.operator != FUSED_LSTM
            held[tensor.layer] = max(before, size) if by_step else before + size
    seen = [name for name in shrunk.layers if name in held and name in sizes]
    larger = [
        f"{name} has {held[name]:,} weights instead of {sizes[name]:,}" for name in seen if held[name] > sizes[name]
    ]
    if larger:
        found = "; ".join(larger)
    elif not seen:
        found = "no weights of the narrowed layers were found in the file"
    else:
        found = f"{len(seen)} narrowed layers; MACs {_change(*shrunk.macs)}, parameters {_change(*shrunk.parameters)}"
    return ClaimRecord(
        claim=f"weights have the smaller shapes that {shrunk.stage} left",
        held=bool(seen) and not larger,
        found=found,
        code="smaller_tensors",
    )


def latency_claim(shrunk: Shrunk, latency: float, dense: float) -> ClaimRecord:
    """The float32 file is as fast as the budget of the stage says.

    Args:
        shrunk: the promise of the stage; its latency is limited.
        latency: milliseconds of the file.
        dense: of the file of the network before, measured in turns.
    """
    who = "" if shrunk.float_exported else "the network as a float32 file "
    limit = shrunk.latency or 0.0
    value = latency / dense if shrunk.relative else latency
    asked = f"{format_share(limit)} of the latency of the dense network" if shrunk.relative else f"{limit:g} ms"
    return ClaimRecord(
        claim=f"{who}takes at most {asked}, within {LATENCY_TOLERANCE:.0%}",
        held=value <= limit * (1 + LATENCY_TOLERANCE),
        found=f"{latency:.3g} ms, the dense network {dense:.3g} ms ({latency / dense:.1%}), measured in turns",
        code="latency_of_dense",
    )


def _change(before: int, after: int) -> str:
    return f"{before:,} to {after:,} ({after / max(before, 1):.1%})"
