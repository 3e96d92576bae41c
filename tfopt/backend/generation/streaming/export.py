"""Writes the files of a model that reads a stream, and proves them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tf_keras

from tfopt.backend.data.arrays.stored import save_rows
from tfopt.backend.explain import agreement
from tfopt.backend.export.files import writing
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.export.measures import file_measures
from tfopt.backend.generation.convert import whole_of
from tfopt.backend.generation.files import make_files, place, weight_claims
from tfopt.backend.generation.streaming.prepare import Prepared, prepare
from tfopt.backend.generation.streaming.signatures import write_saved_model
from tfopt.backend.quantization.quantized import Quantized
from tfopt.backend.tflite import child_process
from tfopt.backend.types import Array
from tfopt.core.claims.accepted import needless, with_accepted
from tfopt.core.claims.agreement import agreement_claim
from tfopt.core.claims.failures import Failure, attempt, failed_export, unmeasured
from tfopt.core.config.files.generate_file import GenerateFile, StreamingKeys
from tfopt.core.contracts.events import ExportFinished, ExportStarted, Warned
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.report import ClaimRecord, ExportRecord

_FEW = 16
"""Sequences that the signatures other than the largest are proven on."""


def export(model: tf_keras.Model | Quantized, keys: StreamingKeys, context: ExportContext) -> list[ExportRecord]:
    """Writes the files of `export.streaming`.

    Args:
        model: a `tf_keras.Model`, or a `tfopt.backend.quantization.Quantized`, of which the float weights are used.
        keys: of the recipe.
        context: folder, data and what must hold.

    Returns:
        One record per file.

    Raises:
        ExportError: the model cannot read a stream, or the folder cannot be written.
    """
    float_model, quantized = saved_model.float_and_quantized(model)
    prepared = prepare(float_model, keys, context.data)
    for name in keys.files:
        context.emit(ExportStarted(f"streaming_{name}"))
    if quantized is not None:
        context.emit(Warned("streaming: the files are made of the float weights, without the integers of qat."))
    with writing(context.folder), tempfile.TemporaryDirectory(prefix=".streaming-", dir=context.folder) as folder:
        work = Path(folder)
        write_saved_model(float_model, prepared, work / "saved_model")
        failures = make_files(float_model, keys.files, prepared.keys, work)
        inputs = saved_model.named_inputs(context.data.test.inputs, float_model, prepared.signature)
        (examples,) = inputs.values()
        save_rows(work / "test.npy", examples)
        expected = saved_model.predict(float_model, context.data.test.inputs, prepared.signature)
        site = _Site(float_model, prepared, context, work, quantized is not None, expected)
        path = f"{context.folder.name}/streaming_"
        records = [
            failed_export(f"streaming_{name}", "tflite", f"{path}{name}.tflite", failures[name])
            if name in failures
            else _record(name, file, site)
            for name, file in keys.files.items()
        ]
    for record in records:
        for note in needless(record, keys.files[record.name.removeprefix("streaming_")].accept or ()):
            context.emit(Warned(note))
        held = all(claim.passes for claim in record.claims)
        context.emit(ExportFinished(record.name, record.bytes, record.measures, held))
    return records


@dataclass(frozen=True)
class _Site:
    """What all files of one export share; `expected` are the outputs of the Keras model on the test split."""

    model: tf_keras.Model
    prepared: Prepared
    context: ExportContext
    work: Path
    after_qat: bool
    expected: Mapping[str, Array]


def _record(name: str, file: GenerateFile, site: _Site) -> ExportRecord:
    """Moves a file into its place, streams the test split through it, and judges it."""
    context, made = site.context, site.work / f"{name}.tflite"
    record = place(made, f"streaming_{name}", site.model, context, _details(site))
    if record.audit is None:
        return record
    claims = weight_claims(site.model, file.variant, context, record.audit)
    judged = attempt(_judged, context.folder / f"{record.name}.tflite", whole_of(made), file, site)
    if isinstance(judged, Failure):
        return unmeasured(record.model_copy(update={"claims": claims}), judged)
    proofs, measures, timed = judged
    details = {**record.details, "milliseconds_per_call": timed}
    update = {"claims": [*claims, *proofs], "measures": measures, "details": details}
    return with_accepted(record.model_copy(update=update), file.accept or ())


def _judged(
    path: Path, whole: Path, file: GenerateFile, site: _Site
) -> tuple[list[ClaimRecord], dict[str, float], dict[str, float]]:
    """Claims, measures, and the milliseconds of a call by signature."""
    context, prepared = site.context, site.prepared
    arguments = {
        "path": str(path),
        "whole": str(whole),
        "examples": str(site.work / "test.npy"),
        "folder": str(site.work),
        "few": _FEW,
    }
    ran = child_process.call("tfopt.backend.generation.streaming.prove:run", arguments)
    streamed = {name: np.load(output) for name, output in ran["outputs"].items()}
    once = {name: np.load(output) for name, output in ran["whole"].items()}
    (name,) = prepared.signature.outputs
    variant = file.variant
    with_once = agreement.compare(streamed[name], once[name], context.compile)
    with_keras = agreement.compare(streamed[name], site.expected[name], context.compile)
    source = "one call over the whole sequence with the same weights"
    exact = agreement_claim(_SAME, with_once, source, most_error=1 - _SAME)
    pieces = "; ".join(f"{key} differs by {value:.3g}" for key, value in ran["pieces"].items())
    exact = exact.model_copy(
        update={"code": "state_is_exact", "found": f"{exact.found}; {pieces} from the largest pieces"}
    )
    same = agreement_claim(
        variant.least_agreement(), with_keras, "the Keras model", most_error=variant.most_relative_error()
    )
    measures = file_measures({name: streamed[name]}, context.data.test, context.compile, context.dense)
    measures |= with_keras.measures() | {"latency_ms": ran["milliseconds"][prepared.keys[0]]}
    return [exact, same], measures, ran["milliseconds"]


_SAME = 0.999
"""Share of equal predictions, or one minus the relative error, of two orders of the same sums."""


def _details(site: _Site) -> dict[str, object]:
    prepared = site.prepared
    size = sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in prepared.plan.states.values())
    found: dict[str, object] = {
        "frames": [*prepared.frames],
        "signatures": prepared.keys,
        "states": {name: [*shape] for name, (shape, _) in prepared.plan.states.items()},
        "state_bytes": size,
    }
    if site.after_qat:
        found["notes"] = ["made of the float weights; the integers that qat simulates are not in it"]
    return found
