"""What is claimed of a `.tflite` file for the target of its recipe, and what the target needs next to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tfopt.backend.audit.layer_operators import layer_operators
from tfopt.backend.micro import interpreter as micro
from tfopt.backend.micro.c_array import write_c_array
from tfopt.core.claims.agreement import broken_claim
from tfopt.core.claims.failures import Failure, attempt
from tfopt.core.claims.target import target_claims
from tfopt.core.records.report import ClaimRecord, ExportRecord
from tfopt.core.targets.table import TARGETS, TargetName

_STEPS = 1.01
"""Kernels may round a value to either of two neighbors; the rest is for scales that are no binary fraction."""
_SHARE = 1e-4
"""Of the largest output: float kernels add up in a different order."""


def for_target(
    record: ExportRecord,
    file: Path,
    target: TargetName,
    layer_names: Sequence[str],
    aliases: Mapping[str, str] | None,
    lstms: Sequence[str],
    few: Mapping[str, Path],
) -> ExportRecord:
    """The record of a file with the claims of a target; for microcontrollers also with its arena and its C array.

    Args:
        record: of a file with an audit.
        file: it.
        target: where it will run.
        layer_names: Keras names of the layers.
        aliases: as in `tfopt.backend.audit.tflite.audit_tflite`.
        lstms: as in `tfopt.backend.graph.layer_names.LayerNames`.
        few: .npy file of a few examples per input.
    """
    if record.audit is None:
        return record
    row = TARGETS[target]
    layers = attempt(layer_operators, file, layer_names, aliases, lstms=lstms)
    details: dict[str, object] = {"target": {"name": target, "not_checked": row.not_checked}}
    measures = dict(record.measures)
    claim, arena = _in_micro(file, few) if target == "tflm" else (None, None)
    by_layer = {} if isinstance(layers, Failure) else layers
    claims = target_claims(record.audit, by_layer, row, ran=arena is not None)
    if target == "tflm":
        claims += [claim] if claim is not None else []
        if arena is not None:
            measures["arena_bytes"] = arena
        details["arena"] = {"runtime": row.runtime, "how": "measured" if arena is not None else "estimate"}
        made = attempt(write_c_array, file, record.audit.operators, arena)
        if isinstance(made, Failure):
            claims.append(broken_claim("the C array is written", made.reason, code="written"))
        else:
            folder = Path(record.path).parent
            paths = {"source": str(folder / made.source.name), "header": str(folder / made.header.name)}
            details["c_array"] = {**paths, "symbol": made.symbol, "sha256": made.sha256}
    return record.model_copy(
        update={
            "claims": [*record.claims, *claims],
            "details": {**record.details, **details},
            "measures": measures,
        }
    )


def _in_micro(file: Path, few: Mapping[str, Path]) -> tuple[ClaimRecord | None, int | None]:
    """The claim that a file runs in TFLite Micro, and its arena; neither where the package is missing."""
    if not micro.available():
        return None, None
    sentence = "runs in TFLite Micro with the outputs of LiteRT"
    found = attempt(micro.run_in_micro, file, few)
    if isinstance(found, Failure):
        return broken_claim(sentence, found.reason, code="target_runs"), None
    steps, share = found.steps or 0.0, found.share or 0.0
    parts = [f"{steps:.3g} steps"] if found.steps is not None else []
    parts += [f"{share:.2g} of the largest float"] if found.share is not None else []
    text = f"largest difference {' and '.join(parts)} over {found.examples} examples"
    same = steps <= _STEPS and share <= _SHARE
    return ClaimRecord(claim=sentence, held=same, found=text, code="target_runs"), found.arena_bytes
