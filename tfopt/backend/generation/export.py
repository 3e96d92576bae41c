"""Writes the files of a language model, and proves them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.audit.sizes import num_bytes
from tfopt.backend.decoding.speed import speeds
from tfopt.backend.export.files import put_in_place, writing
from tfopt.backend.export.keras_files.deterministic_saved_model import make_canonical
from tfopt.backend.export.keras_files.saved_model import float_and_quantized
from tfopt.backend.generation import convert, litertlm
from tfopt.backend.generation.claims import claims_of, in_litert_lm
from tfopt.backend.generation.files import make_files, noted, place
from tfopt.backend.generation.metrics import with_metrics
from tfopt.backend.generation.names import GENERATION_JSON
from tfopt.backend.generation.prepare import Prepared, prepare
from tfopt.backend.generation.sample import test_sequences
from tfopt.backend.generation.signatures import inputs_of, states_of, write_saved_model
from tfopt.backend.quantization.quantized import Quantized
from tfopt.backend.tflite import child_process
from tfopt.backend.types import Array
from tfopt.core.claims.accepted import needless, with_accepted
from tfopt.core.claims.failures import Failure, attempt, failed_export, unmeasured
from tfopt.core.config.files.generate_file import GenerateFile, GenerateKeys
from tfopt.core.contracts.events import ExportFinished, ExportStarted, Warned
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.report import ExportRecord

_SEQUENCES = 4
"""Texts of the test split that files are proven on, each as long as the context."""
_ALL_LENGTHS = 256
"""Up to this context, prompts of every length are tried; else so many, evenly spaced."""
_FLOAT_WEIGHTS = "the float weights; the integers that qat simulates are not in them"


def export(model: tf_keras.Model | Quantized, keys: GenerateKeys, context: ExportContext) -> list[ExportRecord]:
    """Writes the files of `export.generate`.

    Args:
        model: a `tf_keras.Model`, or a `tfopt.backend.quantization.Quantized`, of which the float weights are used.
        keys: of the recipe.
        context: folder, data and what must hold.

    Returns:
        One record per file, then one of the SavedModel if it is kept.

    Raises:
        ExportError: the model cannot generate, or the folder cannot be written.
    """
    float_model, quantized = float_and_quantized(model)
    prepared = prepare(float_model, keys, context.data)
    for name in keys.files:
        context.emit(ExportStarted(f"generate_{name}"))
    if quantized is not None:
        context.emit(Warned(f"generate: the files are made of {_FLOAT_WEIGHTS}."))
    with writing(context.folder), tempfile.TemporaryDirectory(prefix=".generate-", dir=context.folder) as folder:
        work = Path(folder)
        write_saved_model(float_model, prepared.plan, prepared.signatures, work / "saved_model")
        failures = make_files(float_model, keys.files, prepared.signatures.keys, work)
        _write_beside(prepared, context.folder)
        site = _Site(
            float_model, prepared, context, work, quantized is not None, _expected(float_model, prepared, context)
        )
        records = [
            failed_export(f"generate_{name}", "tflite", f"{context.folder.name}/generate_{name}.tflite", failures[name])
            if name in failures
            else _record(name, file, site)
            for name, file in keys.files.items()
        ]
        records = _timed(records, context.folder)
        if keys.saved_model:
            records.append(_saved_model(site))
    for record in records:
        file = keys.files.get(record.name.removeprefix("generate_"))
        for note in () if file is None else needless(record, file.accept or ()):
            context.emit(Warned(note))
        held = all(claim.passes for claim in record.claims)
        context.emit(ExportFinished(record.name, record.bytes, record.measures, held))
    return records


@dataclass(frozen=True)
class _Expected:
    """Texts, and what the Keras model predicts after each of their positions: int32 (texts, context) both."""

    sequences: Array
    predicted: Array


@dataclass(frozen=True)
class _Site:
    """What all files of one export share."""

    model: tf_keras.Model
    prepared: Prepared
    context: ExportContext
    work: Path
    after_qat: bool
    expected: _Expected


def _write_beside(prepared: Prepared, folder: Path) -> None:
    """The tokenizer, and what a loop must know."""
    for name, content in prepared.files.items():
        (folder / name).write_bytes(content)
    known = {"context": prepared.signatures.context, "stop": [*prepared.stop]}
    (folder / GENERATION_JSON).write_text(json.dumps(known) + "\n", encoding="utf-8")


def _expected(model: tf_keras.Model, prepared: Prepared, context: ExportContext) -> _Expected:
    length = prepared.signatures.context
    sequences = test_sequences(model, context.data, _SEQUENCES, length)
    fixed = model.inputs[0].shape[1] or length
    padded = np.pad(sequences, ((0, 0), (0, fixed - length)))
    predicted = [
        tf.nest.flatten(model([*inputs_of(model, tf.constant(row[np.newaxis]))], training=False))[0] for row in padded
    ]
    return _Expected(sequences, np.concatenate(predicted)[:, :length].argmax(-1))


def _record(name: str, file: GenerateFile, site: _Site) -> ExportRecord:
    """Moves a file into its place, and judges it."""
    context, made = site.context, site.work / f"{name}.tflite"
    record = place(made, f"generate_{name}", site.model, context, _details(site))
    if record.audit is None:
        return record
    target = context.folder / f"{record.name}.tflite"
    length = site.prepared.signatures.context
    proven = attempt(
        child_process.call,
        "tfopt.backend.generation.prove:compare",
        {
            "path": str(target),
            "whole": str(convert.whole_of(made)),
            "sequences": site.expected.sequences.tolist(),
            "lengths": _lengths(length),
        },
    )
    claims = claims_of(site.model, file.variant, context, record.audit, site.prepared, proven, site.expected.predicted)
    measures: dict[str, float] = {}
    if not isinstance(proven, Failure):
        record = noted(record, f"agreement is of {site.expected.predicted.size:,} positions of texts of the test split")
        measures["agreement"] = float(np.mean(np.asarray(proven["predicted"]) == site.expected.predicted))
    record = record.model_copy(update={"claims": claims, "measures": measures})
    if isinstance(proven, Failure):
        record = unmeasured(record, proven)
    else:
        record = with_metrics(record, convert.whole_of(made), site.model, site.prepared, context)
    if site.prepared.litertlm:
        record = _with_litertlm(record, target, site)
    return with_accepted(record, file.accept or ())


def _timed(records: Sequence[ExportRecord], folder: Path) -> list[ExportRecord]:
    """Adds speed and memory of the files that ran, measured in turns."""
    ran = [record.name for record in records if record.error is None]
    timed = attempt(speeds, [folder / f"{name}.tflite" for name in ran]) if ran else []
    if isinstance(timed, Failure):
        return [unmeasured(record, timed) if record.name in ran else record for record in records]
    found = dict(zip(ran, timed, strict=True))
    return [_with_speed(record, found[record.name]) if record.name in found else record for record in records]


def _with_speed(record: ExportRecord, measured: Mapping[str, float]) -> ExportRecord:
    numbers = {name: float(value) for name, value in measured.items() if name != "prompt_tokens"}
    details = {**record.details, "prompt_tokens": measured["prompt_tokens"]}
    return record.model_copy(update={"measures": {**record.measures, **numbers}, "details": details})


def _lengths(context: int) -> list[int]:
    count = min(context, _ALL_LENGTHS)
    return sorted({int(length) for length in np.linspace(1, context, count)})


def _details(site: _Site) -> dict[str, object]:
    signatures = site.prepared.signatures
    states = states_of(site.prepared.plan, signatures)
    size = sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in states.values())
    found: dict[str, object] = {
        "context": signatures.context,
        "prefill": [*signatures.prefill],
        "signatures": signatures.keys,
        "states": {name: [*shape] for name, (shape, _) in states.items()},
        "state_bytes": size,
    }
    notes = [f"made of {_FLOAT_WEIGHTS}"] if site.after_qat else []
    notes += [f"no .litertlm file: {site.prepared.without}"] if site.prepared.without else []
    return {**found, "notes": notes} if notes else found


def _with_litertlm(record: ExportRecord, tflite: Path, site: _Site) -> ExportRecord:
    """Also makes the `.litertlm` file, and runs it where its runtime is installed."""
    target = tflite.with_suffix(".litertlm")
    prepared, context = site.prepared, site.context
    tokenizer, length = context.folder / next(iter(prepared.files)), prepared.signatures.context
    written = attempt(litertlm.write, tflite, tokenizer, prepared.stop, length, target)
    if isinstance(written, Failure):
        return unmeasured(record, Failure(f"{target.name} could not be made: {written.reason}", written.code))
    details = {
        **record.details,
        "litertlm": {"path": f"{context.folder.name}/{target.name}", "bytes": num_bytes(target)},
    }
    if not litertlm.has_runtime():
        note = f"that LiteRT-LM runs {target.name} was not checked: litert-lm-api is not installed"
        return noted(record.model_copy(update={"details": details}), note)
    claim = in_litert_lm(tflite, target, prepared, site.expected.sequences)
    return record.model_copy(update={"details": details, "claims": [*record.claims, claim]})


def _saved_model(site: _Site) -> ExportRecord:
    """Moves the SavedModel into its place; one claim, that its signatures compute what the Keras model does."""
    from tfopt.backend.generation.saved_model import record_of

    made = site.work / "kept"
    write_saved_model(site.model, site.prepared.plan, site.prepared.signatures, made, whole=False)
    make_canonical(made)
    target = site.context.folder / "generate_saved_model"
    put_in_place(made, target)
    return record_of(target, site.context.folder.name, site.prepared, site.expected.sequences, site.expected.predicted)
