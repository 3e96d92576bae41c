"""The claim that whole heads and blocks are zero in a `.tflite` file. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tfopt.core.claims.agreement import broken_claim
from tfopt.core.language.wording import counted
from tfopt.core.records.report import AuditRecord, ClaimRecord
from tfopt.core.records.zero_units import ZeroUnits


def zero_units_claim(promise: ZeroUnits, without_zeros: Mapping[str, Sequence[str]], audit: AuditRecord) -> ClaimRecord:
    """Compares the heads and blocks that a stage made zero with the weights in the file.

    Args:
        promise: of the stage.
        without_zeros: by attention layer, what is wrong with its weights in the file; empty where all is right.
        audit: what the file contains.
    """
    wrong: list[str] = []
    found: list[str] = []
    for layer in promise.heads:
        zero = f"heads {', '.join(str(head + 1) for head in layer.zero)} of {layer.heads} in {layer.layer}"
        if layer.zero and without_zeros.get(layer.layer):
            wrong.append(f"{zero}: {', '.join(without_zeros[layer.layer])}")
        elif layer.zero:
            found.append(zero)
    for name, layers in promise.blocks.items():
        alive = [problem for layer in layers if (problem := _alive(layer, audit)) is not None]
        if alive:
            wrong.append(f"block {name}: {', '.join(alive)}")
        else:
            found.append(f"block {name} of {promise.num_blocks} ({counted(len(layers), 'layer')})")
    claim = f"{_what(promise)} that became zero are zero in the file"
    if wrong:
        return broken_claim(claim, "; ".join(wrong), code="zero_units")
    return ClaimRecord(claim=claim, held=True, found="; ".join(found) or "none became zero", code="zero_units")


def _what(promise: ZeroUnits) -> str:
    kinds = [name for name, there in (("heads", promise.heads), ("blocks", promise.num_blocks)) if there]
    return f"whole {' and '.join(kinds)}"


def _alive(layer: str, audit: AuditRecord) -> str | None:
    weights = [tensor for tensor in audit.tensors if tensor.role == "weight" and tensor.layer == layer]
    if not weights:
        return f"no weights of {layer} found in the file"
    least = min(tensor.sparsity for tensor in weights)
    return None if least == 1.0 else f"{layer} has {least:.2%} zeros"
