"""Claims about the file of a network that a shrink stage made smaller; latencies are measured for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tfopt.backend.tflite import benchmark
from tfopt.core.claims.agreement import broken_claim
from tfopt.core.claims.failures import Failure, attempt
from tfopt.core.claims.shrunk import latency_claim, smaller_tensors_claim
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.records.report import AuditRecord, ClaimRecord, LayerRecord
from tfopt.core.records.shrunk import Shrunk

_ROUNDS = 120


def is_plain_float(variant: Variant) -> bool:
    """Whether a file has float32 weights that are stored as they are: what a latency budget is about."""
    return variant.mode.weights == "float32" and not variant.sparse


def shrunk_claims(
    shrunk: Shrunk, file: Path, variant: Variant, layers: Sequence[LayerRecord], audit: AuditRecord
) -> list[ClaimRecord]:
    """Smaller tensors in every file; the latency against the dense network in float32 files, where it was the budget.

    Where the recipe writes no float32 file, that of the stage is timed for the claims of the others.

    Args:
        shrunk: the promise of the stage.
        file: the `.tflite` file.
        variant: its keys in the recipe.
        layers: layer records of the last stage.
        audit: what the file contains.
    """
    # A stage that removed nothing, or whole blocks only, leaves no layer narrower.
    claims = [smaller_tensors_claim(shrunk, layers, audit)] if shrunk.layers else []
    float_file = shrunk.narrow_file if not shrunk.float_exported else file if is_plain_float(variant) else None
    if shrunk.dense_file is None or float_file is None:
        return claims
    timed = attempt(benchmark.bench, [float_file, shrunk.dense_file], rounds=_ROUNDS)
    if isinstance(timed, Failure):
        text = "is as fast against the dense network as its stage was asked for"
        return [*claims, broken_claim(text, timed.reason, code="latency_of_dense")]
    latency, dense = (float(row["latency_ms"]) for row in timed)
    return [*claims, latency_claim(shrunk, latency, dense)]
