"""Keras models to `.tflite` files: convert, audit, run on the test split, check claims."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tf_keras

from tfopt.backend import quantization
from tfopt.backend.audit.tflite import audit_tflite
from tfopt.backend.export import agreement, saved_model
from tfopt.backend.export.calibration import save_arrays, save_calibration
from tfopt.backend.export.convert import Conversion, convert
from tfopt.backend.export.files import num_bytes, num_gzip_bytes, put_in_place, writing
from tfopt.backend.export.measures import file_measures
from tfopt.backend.export.plain import PlainFile, plain_conversions
from tfopt.backend.graph.layers import layer_paths
from tfopt.backend.quantization.quantized import Quantized
from tfopt.backend.tflite import benchmark, predict
from tfopt.backend.tflite.child_process import ProcessCrashed, ProcessFailed
from tfopt.backend.types import Array
from tfopt.core.claims.agreement import RuntimeCheck, broken_claim
from tfopt.core.claims.simulation import concern
from tfopt.core.claims.tflite import FloatLayers, tflite_claims
from tfopt.core.config.tflite_variant import Variant
from tfopt.core.contracts.events import ExportFinished, ExportStarted, Warned
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.report import ExportRecord, SimulationRecord
from tfopt.errors import ExportError

REFERENCE_EXAMPLES = 64
"""Test examples that also go through the reference kernels, which are up to 100 times slower than XNNPACK."""


@dataclass(frozen=True)
class _Source:
    """A model to convert, and its outputs on the test split.

    Args:
        kind: `float`, or `qat`: with 8 bits simulated.
        saved_model: its SavedModel.
        outputs: by output name.
    """

    kind: str
    saved_model: Path
    outputs: Mapping[str, Array]


@dataclass(frozen=True)
class _Evaluation:
    """Inputs of the measurement, the same for all variants.

    Args:
        context: of the export.
        layer_names: Keras names of the float model's layers.
        aliases: names of the layers that compute them in the quantized model.
        float_layers: which of them may compute in float in an int8 file.
        inputs: .npy file of the test inputs per input.
        few: .npy file of the first test inputs per input, for the reference kernels.
        work: folder for outputs.
        plain: by variant that comes from a simulated model, the file that is made without the stage that simulates.
    """

    context: ExportContext
    layer_names: tuple[str, ...]
    aliases: Mapping[str, str]
    float_layers: FloatLayers
    inputs: Mapping[str, Path]
    few: Mapping[str, Path]
    work: Path
    plain: Mapping[str, PlainFile]


@dataclass(frozen=True)
class _Ran:
    """What running a file gave.

    Args:
        runtime: for the claims.
        measures: for the record.
        details: how it ran.
        simulation: what the quantizing stage was worth, for an integer file after one.
    """

    runtime: RuntimeCheck
    measures: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    simulation: SimulationRecord | None = None


def export(
    model: tf_keras.Model | Quantized, variants: Mapping[str, Variant], context: ExportContext
) -> list[ExportRecord]:
    """Writes `<variant>.tflite` for every variant, runs each on the full test split, and checks its claims.

    Args:
        model: a `tf_keras.Model`, or a `tfopt.backend.quantization.Quantized`; `int8` comes from the quantization-aware
            model if there is one, everything else from the float model.
        variants: what to write, by name.
        context: folder, data and what must hold.

    Returns:
        One record per variant, in order. One that could not be converted or run has a record whose broken claim says
        what failed.

    Raises:
        ExportError: nothing could be written, or there is no data to calibrate with.
    """
    float_model, quantized = saved_model.float_and_quantized(model)
    signature = saved_model.signature_of(float_model)
    with writing(context.folder), tempfile.TemporaryDirectory(prefix=".tflite-", dir=context.folder) as folder:
        work = Path(folder)
        sources = _sources(float_model, quantized, signature, variants, context, work)
        conversions = _conversions(float_model, signature, variants, sources, context, work)
        plain = plain_conversions(variants, context, work / "plain")
        labels = {made.name for made in plain.values()}
        failures = convert(
            [*conversions, *plain.values()], lambda name: None if name in labels else context.emit(ExportStarted(name))
        )
        test = saved_model.named_inputs(context.data.test.inputs, float_model, signature)
        evaluation = _Evaluation(
            context,
            layer_names(float_model),
            {} if quantized is None else model.original_names,
            FloatLayers(context.float_layers, _float_layers(model, float_model)),
            save_arrays(test, work / "test"),
            save_arrays({name: values[:REFERENCE_EXAMPLES] for name, values in test.items()}, work / "few"),
            work,
            {name: PlainFile(made, failures.get(made.name)) for name, made in plain.items()},
        )
        records = [
            _failed(
                conversion.name, _with_suspects(conversion, failures[conversion.name], evaluation.float_layers), context
            )
            if conversion.name in failures
            else _measured(conversion, _source_of(conversion.variant, sources), evaluation)
            for conversion in conversions
        ]
        records = _with_latency(records, evaluation)
        for record in records:
            context.emit(_finished(record))
            worse = concern(record, context.compile.metric)
            if worse is not None:
                context.emit(Warned(worse))
    return records


def _float_layers(model: tf_keras.Model | Quantized, float_model: tf_keras.Model) -> Mapping[str, str]:
    """Reasons why layers compute in float in an int8 file, by name."""
    return quantization.float_layers(model) if model is float_model else model.float_layers


def layer_names(model: tf_keras.Model) -> tuple[str, ...]:
    """Names of all layers; a nested model is replaced by its layers."""
    return tuple(dict.fromkeys(layer.name for _, layer in layer_paths(model)))


def _sources(
    float_model: tf_keras.Model,
    quantized: tf_keras.Model | None,
    signature: saved_model.Signature,
    variants: Mapping[str, Variant],
    context: ExportContext,
    work: Path,
) -> dict[str, _Source]:
    """The models that the variants need, saved, with their outputs."""
    batch = 1 if saved_model.needs_fixed_batch(float_model) else None
    models = {"float": float_model} if quantized is None else {"float": float_model, "qat": quantized}
    needed = {_kind(variant, quantized is not None) for variant in variants.values()}
    sources: dict[str, _Source] = {}
    for kind in sorted(needed):
        folder = work / kind
        saved_model.write_saved_model(models[kind], signature, folder, batch)
        sources[kind] = _Source(kind, folder, saved_model.predict(models[kind], context.data.test.inputs, signature))
    return sources


def _kind(variant: Variant, has_quantized: bool) -> str:
    return "qat" if variant.mode.from_qat and has_quantized else "float"


def _source_of(variant: Variant, sources: Mapping[str, _Source]) -> _Source:
    return sources[_kind(variant, "qat" in sources)]


def _conversions(
    model: tf_keras.Model,
    signature: saved_model.Signature,
    variants: Mapping[str, Variant],
    sources: Mapping[str, _Source],
    context: ExportContext,
    work: Path,
) -> list[Conversion]:
    conversions: list[Conversion] = []
    for name, variant in variants.items():
        calibration = save_calibration(name, variant, model, signature, context, work / f"{name}.calibration")
        target = work / f"{name}.tflite"
        conversions.append(Conversion(name, variant, _source_of(variant, sources).saved_model, target, calibration))
    return conversions


def _with_suspects(conversion: Conversion, reason: str, float_layers: FloatLayers) -> str:
    """The reason of a failed conversion, and the layers that may have caused it: the converter names none."""
    if not conversion.variant.mode.integer_only or not float_layers.planned:
        return reason
    suspects = ", ".join(f"{name} ({why})" for name, why in float_layers.planned.items())
    return f"{reason}. It may be due to what stays float: {suspects}"


def _failed(name: str, reason: str, context: ExportContext) -> ExportRecord:
    return ExportRecord(
        name=name,
        format="tflite",
        path=_path(name, context),
        bytes=0,
        gzip_bytes=0,
        measures={},
        claims=[broken_claim("converts to .tflite", f"{name}: {reason}", code="converted")],
    )


def _path(name: str, context: ExportContext) -> str:
    return f"{context.folder.name}/{name}.tflite"


def _measured(conversion: Conversion, source: _Source, evaluation: _Evaluation) -> ExportRecord:
    """Moves a converted file into the export folder, audits it and runs it."""
    context = evaluation.context
    file = context.folder / f"{conversion.name}.tflite"
    put_in_place(conversion.target, file)
    try:
        audit = audit_tflite(file, evaluation.layer_names, evaluation.aliases)
    except ExportError as error:
        sizes = {"bytes": num_bytes(file), "gzip_bytes": num_gzip_bytes(file)}
        claims = [broken_claim("the file is well-formed", str(error), code="well_formed")]
        return _failed(conversion.name, "", context).model_copy(update={**sizes, "claims": claims})
    ran = _run(file, source, evaluation, evaluation.plain.get(conversion.name))
    return ExportRecord(
        name=conversion.name,
        format="tflite",
        path=_path(conversion.name, context),
        bytes=num_bytes(file),
        gzip_bytes=num_gzip_bytes(file),
        measures=ran.measures,
        audit=audit,
        claims=tflite_claims(
            conversion.variant, context.traits, context.layers, audit, ran.runtime, evaluation.float_layers
        ),
        simulation=ran.simulation,
        details={
            "converted_from": source.kind,
            "calibration": conversion.variant.calibration if conversion.calibration else 0,
            **ran.details,
        },
    )


def _run(file: Path, source: _Source, evaluation: _Evaluation, plain: PlainFile | None) -> _Ran:
    """Outputs on both kinds of kernels; each kind in a process of its own, so that a crash names it."""
    context = evaluation.context
    threads = os.cpu_count() or 1
    try:
        xnnpack = predict.run_file(file, evaluation.inputs, evaluation.work, threads)
    except (ProcessCrashed, ProcessFailed) as error:
        return _Ran(RuntimeCheck(xnnpack_error=str(error), reference_error=_reference_error(file, evaluation)))
    measures = file_measures(xnnpack.outputs, context.data.test, context.compile, context.dense)
    (name,) = xnnpack.outputs
    compared = agreement.compare(xnnpack.outputs[name], source.outputs[name], context.compile)
    measures["agreement"] = compared.value
    simulation = None
    if plain is not None:
        simulation = plain.compared_with(file, xnnpack.outputs[name], evaluation.inputs, context)
        if simulation.quantum is not None:
            measures["within_quantum"] = agreement.share_within(
                xnnpack.outputs[name], source.outputs[name], simulation.quantum
            )
    details = {"batch": xnnpack.batch, "threads": xnnpack.threads} | (
        {"one_by_one": xnnpack.reason} if xnnpack.reason else {}
    )
    try:
        reference = predict.run_file(file, evaluation.few, evaluation.work, threads, "reference")
    except (ProcessCrashed, ProcessFailed) as error:
        return _Ran(RuntimeCheck(reference_error=str(error), agreement=compared), measures, details, simulation)
    kernels = agreement.compare(reference.outputs[name], xnnpack.outputs[name][:REFERENCE_EXAMPLES], context.compile)
    return _Ran(RuntimeCheck(agreement=compared, kernels=kernels), measures, details, simulation)


def _reference_error(file: Path, evaluation: _Evaluation) -> str | None:
    try:
        predict.run_file(file, evaluation.few, evaluation.work, 1, "reference")
    except (ProcessCrashed, ProcessFailed) as error:
        return str(error)
    return None


def _with_latency(records: Sequence[ExportRecord], evaluation: _Evaluation) -> list[ExportRecord]:
    """Adds latencies of the files that ran, measured in turns."""
    ran = [record for record in records if "agreement" in record.measures]
    if not ran:
        return list(records)
    files = [evaluation.context.folder / f"{record.name}.tflite" for record in ran]
    timed = benchmark.bench(files, example=evaluation.few)
    by_name = {record.name: result for record, result in zip(ran, timed, strict=True)}
    return [_timed(record, by_name.get(record.name)) for record in records]


def _timed(record: ExportRecord, result: Mapping[str, Any] | None) -> ExportRecord:
    if result is None:
        return record
    times = {name: result[name] for name in ("latency_ms", "latency_ms_p10", "latency_ms_p90")}
    measures = {**record.measures, **times}
    timing = {"invocations": result["invocations"], "threads": result["threads"]}
    return record.model_copy(update={"measures": measures, "details": {**record.details, "latency": timing}})


def _finished(record: ExportRecord) -> ExportFinished:
    return ExportFinished(record.name, record.bytes, record.measures, all(claim.held for claim in record.claims))
