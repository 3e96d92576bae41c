"""What the files with state have in common, of language models and of streams."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import tf_keras

from tfopt.backend.audit.sizes import num_bytes, num_gzip_bytes, num_zstd_bytes
from tfopt.backend.audit.tflite import audit_tflite
from tfopt.backend.export.files import put_in_place
from tfopt.backend.export.tflite import layer_names
from tfopt.backend.generation import convert
from tfopt.backend.quantizer.rules import layer_modes
from tfopt.core.claims.failures import Failure, attempt, failed_export, unmeasured
from tfopt.core.claims.kernels import RuntimeCheck
from tfopt.core.claims.tflite import tflite_claims
from tfopt.core.config.files.generate_file import GenerateFile
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.report import AuditRecord, ClaimRecord, ExportRecord

_OF_WEIGHTS = ("weights_dtype", "sparsity_kept", "clusters_kept")


def make_files(
    model: tf_keras.Model, files: Mapping[str, GenerateFile], signatures: Sequence[str], work: Path
) -> dict[str, Failure]:
    """Makes `<file>.tflite` of each file below `work` from `work/saved_model`.

    Args:
        model: float.
        files: by name.
        signatures: names of those that the files have.
        work: folder.

    Returns:
        Why a file could not be made, by name.
    """
    source = work / ".float32.tflite"
    failure = convert.convert(work / "saved_model", signatures, source)
    if failure is not None:
        return dict.fromkeys(files, failure)
    quantizations: dict[str, convert.Quantization] = {}
    for name, file in files.items():
        target = work / f"{name}.tflite"
        if file.variant.mode.is_quantized or file.layers:
            quantizations[name] = convert.Quantization(file.variant, layer_modes(file.variant, model), target)
        else:
            shutil.copy(source, target)
            shutil.copy(convert.whole_of(source), convert.whole_of(target))
    return convert.quantize_all(source, quantizations)


def place(
    made: Path, name: str, model: tf_keras.Model, context: ExportContext, details: dict[str, object]
) -> ExportRecord:
    """Moves a file into the export folder, and reads what it contains.

    Args:
        made: the file.
        name: of its record.
        model: float.
        context: with the folder.
        details: of the record.

    Returns:
        A record without claims; its `audit` is None where the file could not be moved or read.
    """
    target = context.folder / f"{name}.tflite"
    path = f"{context.folder.name}/{target.name}"
    moved = attempt(put_in_place, made, target)
    if isinstance(moved, Failure):
        return failed_export(name, "tflite", path, moved)
    record = ExportRecord(
        name=name,
        format="tflite",
        path=path,
        bytes=num_bytes(target),
        gzip_bytes=num_gzip_bytes(target),
        zstd_bytes=num_zstd_bytes(target),
        measures={},
        details=details,
    )
    audit = attempt(audit_tflite, target, layer_names(model))
    if isinstance(audit, Failure):
        return unmeasured(record, audit)
    known = {"audit": audit, "entropy_bytes": audit.entropy_bytes, "sparse_bytes": audit.sparse_bytes}
    return record.model_copy(update=known)


def noted(record: ExportRecord, note: str) -> ExportRecord:
    """A record with one more thing to say about its file: how it was made or measured.

    Args:
        record: of the file.
        note: continues its name and a colon; without a full stop.
    """
    notes = [*record.details.get("notes", ()), note]
    return record.model_copy(update={"details": {**record.details, "notes": notes}})


def weight_claims(
    model: tf_keras.Model, variant: Variant, context: ExportContext, audit: AuditRecord
) -> list[ClaimRecord]:
    """The claims about the weights of a file.

    Args:
        model: float.
        variant: its keys.
        context: traits and layers of the model.
        audit: what it contains.
    """
    modes = layer_modes(variant, model).modes
    plain = tflite_claims(variant, context.traits, context.layers, audit, RuntimeCheck(), modes=modes)
    return [claim for claim in plain if claim.code in _OF_WEIGHTS]
