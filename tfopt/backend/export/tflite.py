"""Keras models to `.tflite` files: convert, audit, run on the test split, check claims."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import tf_keras

from tfopt.backend import quantization
from tfopt.backend.audit.sizes import num_bytes, num_gzip_bytes, num_zstd_bytes
from tfopt.backend.audit.tflite import audit_tflite
from tfopt.backend.calibration.rewrites.weight_changes import WeightChanges
from tfopt.backend.explain.layer_errors import layer_errors, sentence, worst
from tfopt.backend.export.calibration import calibration_details, rewritten_weights, save_arrays
from tfopt.backend.export.convert import CRASHED, REFUSED, Conversion, convert
from tfopt.backend.export.detections.written import detections_claim
from tfopt.backend.export.failing_layer import failing_layer
from tfopt.backend.export.files import put_in_place, writing
from tfopt.backend.export.forms import Form, forms, request_for
from tfopt.backend.export.integers import small_weights
from tfopt.backend.export.integers.float_rules import REASON, float_request, simulated_elsewhere
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.export.measured import Measured, with_latency
from tfopt.backend.export.on_target import for_target
from tfopt.backend.export.plain import PlainFile, plain_conversions, twin_of
from tfopt.backend.export.sensitivity import explained
from tfopt.backend.export.shrunk_claims import is_plain_float, shrunk_claims
from tfopt.backend.export.sources import conversion_of, sources_of
from tfopt.backend.export.sparse.latency import sparse_latency_claim
from tfopt.backend.export.tflite_run import REFERENCE_EXAMPLES, Evaluation, RunResult, Source, run
from tfopt.backend.export.zero_units_claims import zero_units_claims
from tfopt.backend.graph.layers import fused_lstms, layer_paths, leaf_layers
from tfopt.backend.graph.saved_model_layer import reason_without_layers
from tfopt.backend.quantization.float_fallback import original_float_layers
from tfopt.backend.quantization.input_ranges import input_ranges
from tfopt.backend.quantization.quantized import Quantized
from tfopt.backend.quantizer.float_parts import float_parts
from tfopt.core.claims.accepted import needless, with_accepted
from tfopt.core.claims.agreement import broken_claim
from tfopt.core.claims.failures import Failure, attempt, failed_export, unmeasured
from tfopt.core.claims.floats import FloatLayers
from tfopt.core.claims.kernels import RuntimeCheck
from tfopt.core.claims.simulation import concern
from tfopt.core.claims.tflite import tflite_claims
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.quantization_modes import MODES
from tfopt.core.contracts.events import ExportFinished, ExportStarted, Warned
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.report import ClaimRecord, ExportRecord


def export(
    model: tf_keras.Model | Quantized, variants: Mapping[str, Variant], context: ExportContext
) -> list[ExportRecord]:
    """Writes `<variant>.tflite` for every variant, runs each on the full test split, and checks its claims.

    Args:
        model: a `tf_keras.Model`, or a `tfopt.backend.quantization.Quantized`; `int8` comes from the quantization-aware
            model if there is one, everything else from the float model; with `ptq: true`, from the model before the
            stage that quantized it.
        variants: what to write, by name.
        context: folder, data and what must hold.

    Returns:
        One record per variant, in order. One that could not be converted or run has a record whose broken claim says
        what failed.

    Raises:
        ExportError: the inputs of the model are not known, or the folder cannot be written.
    """
    if context.shrunk is not None:
        float_exported = any(is_plain_float(variant) for variant in variants.values())
        context = replace(context, shrunk=replace(context.shrunk, float_exported=float_exported))
    before = context.before_quantizing
    with writing(context.folder), tempfile.TemporaryDirectory(prefix=".tflite-", dir=context.folder) as folder:
        without = {} if before is None else {name: variant for name, variant in variants.items() if variant.ptq}
        plain: dict[str, PlainFile] = {}
        made: dict[str, Measured] = {}
        if before is not None and without:
            earlier = replace(context, traits=before.traits, layers=before.layers, before_quantizing=None)
            loaded = attempt(before.load)
            made = (
                {name: Measured(failed_export(name, "tflite", _path(name, context), loaded)) for name in without}
                if isinstance(loaded, Failure)
                else _files(loaded, without, earlier, Path(folder) / "ptq")
            )
            made = {name: each.without(before.stage) for name, each in made.items()}
            plain = {
                name: made[twin].as_plain(context.folder / f"{twin}.tflite")
                for name, variant in variants.items()
                if name not in without and (twin := twin_of(variant, without)) is not None
            }
        others = {name: variant for name, variant in variants.items() if name not in without}
        made |= _files(model, others, context, Path(folder) / "trained", plain) if others else {}
        timed = with_latency([made[name] for name in variants], context.folder)
        records = [with_accepted(record, variants[record.name].accept or ()) for record in timed]
        for record in records:
            context.emit(_finished(record))
            for note in needless(record, variants[record.name].accept or ()):
                context.emit(Warned(note))
            worse = concern(record, context.compile.metric)
            if worse is not None:
                context.emit(Warned(worse))
    return records


def _files(
    model: tf_keras.Model | Quantized,
    variants: Mapping[str, Variant],
    context: ExportContext,
    work: Path,
    known: Mapping[str, PlainFile] = MappingProxyType({}),
) -> dict[str, Measured]:
    """Makes, runs and judges the files of one model.

    Args:
        model: as for `export`.
        variants: what to write, by name.
        context: folder, data and what must hold.
        work: created; for what is not kept.
        known: by variant, its file without the quantizing stage, where the recipe has that too.
    """
    float_model, quantized = saved_model.float_and_quantized(model)
    signature = saved_model.signature_of(float_model, context.compile.all_outputs)
    work.mkdir()
    requests = {name: float_request(variant, model) for name, variant in variants.items()}
    simulated = {} if quantized is None else dict.fromkeys(variants, quantized)
    if isinstance(model, Quantized):
        for name, request in requests.items():
            if request.layers:
                simulated[name] = simulated_elsewhere(model, request.layers).model
    names = {} if quantized is None else model.original_names
    rewritten = rewritten_weights(variants, float_model, context)
    changes = {name: each for name, each in rewritten.items() if not isinstance(each, Failure)}
    form_of = forms(variants, float_model, context.data.input_shape, simulated, names, changes)
    sources = sources_of(float_model, form_of, signature, context, work)
    ranges = {} if quantized is None else input_ranges(quantized)
    requests = {name: request_for(form_of[name], request) for name, request in requests.items()}
    made = {
        name: conversion_of(
            name,
            variant,
            requests[name],
            float_model,
            signature,
            form_of[name],
            sources[form_of[name].name],
            ranges,
            context,
            work,
        )
        for name, variant in variants.items()
    }
    made |= {name: each for name, each in rewritten.items() if isinstance(each, Failure)}
    conversions = [each for each in made.values() if not isinstance(each, Failure)]
    failures = {name: each for name, each in made.items() if isinstance(each, Failure)}
    # What is made for comparison only must not cost the files.
    alone = {name: variant for name, variant in variants.items() if name not in known}
    compared = attempt(plain_conversions, alone, context, work / "plain")
    plain = {} if isinstance(compared, Failure) else compared
    labels = {made.name for made in plain.values()}
    failures |= convert(
        [*conversions, *plain.values()], lambda name: None if name in labels else context.emit(ExportStarted(name))
    )
    test = saved_model.named_inputs(context.data.test.inputs, float_model, signature)
    evaluation = Evaluation(
        context,
        layer_names(float_model),
        {own: original for form in form_of.values() for own, original in form.original_names.items()},
        FloatLayers(context.float_layers, _float_layers(model, float_model, form_of.values())),
        save_arrays(test, work / "test"),
        save_arrays({name: values[:REFERENCE_EXAMPLES] for name, values in test.items()}, work / "few"),
        work,
        float_model,
        saved_model.own_types(float_model, signature),
        {name: PlainFile(made.target, _reason(failures.get(made.name))) for name, made in plain.items()} | {**known},
    )
    for conversion in conversions:
        if conversion.name in failures and failures[conversion.name].code in (REFUSED, CRASHED):
            layer = failing_layer(conversion, form_of[conversion.name], signature)
            failures[conversion.name] = _explained(
                failures[conversion.name], layer, conversion.variant, evaluation.float_layers
            )
    by_name = {conversion.name: conversion for conversion in conversions}
    return {
        name: Measured(failed_export(name, "tflite", _path(name, context), failures[name]))
        if name in failures
        else explained(
            _measured(by_name[name], sources[form_of[name].name], evaluation, rewritten.get(name)),
            variants[name],
            model,
            evaluation,
        )
        for name in variants
    }


def _float_layers(
    model: tf_keras.Model | Quantized, float_model: tf_keras.Model, forms: Iterable[Form]
) -> Mapping[str, str]:
    """Reasons why layers compute in float in an int8 file, by name."""
    if model is not float_model:
        return model.float_layers
    if reason_without_layers(model) is not None:
        return {layer.name: "its operations are converted as they are" for layer in leaf_layers(model)}
    masked = next((form.masked for form in forms if form.masked is not None), None)
    return quantization.float_layers(model) if masked is None else original_float_layers(masked)


def layer_names(model: tf_keras.Model) -> tuple[str, ...]:
    """Names of all layers; a nested model is replaced by its layers."""
    return tuple(dict.fromkeys(layer.name for _, layer in layer_paths(model)))


def _may_be_float(conversion: Conversion, file: Path, evaluation: Evaluation) -> FloatLayers:
    """The layers that may be float in one file: those of its rules too."""
    variant, planned = conversion.variant, evaluation.float_layers.planned
    if variant.mode.integer_only and variant.engine == "quantizer":
        planned = float_parts(file, variant.mode, evaluation.layer_names, evaluation.aliases)
    tables = [layer.name for layer in leaf_layers(evaluation.model) if isinstance(layer, tf_keras.layers.Embedding)]
    modes = conversion.layers.modes
    small = [name for name in tables if name in modes and MODES[modes[name]].in_integer_files]
    planned = {**planned, **dict.fromkeys(small, small_weights.REASON)}
    return replace(evaluation.float_layers, planned={**dict.fromkeys(conversion.floats.layers, REASON), **planned})


def _explained(failure: Failure, layer: str | None, variant: Variant, float_layers: FloatLayers) -> Failure:
    """A failed conversion with the layer that causes it, or else those that may: the converter names none."""
    if layer is not None:
        return replace(failure, reason=f"{failure.reason}. {layer}")
    if not variant.mode.integer_only or not float_layers.planned:
        return failure
    suspects = ", ".join(f"{name} ({why})" for name, why in float_layers.planned.items())
    return replace(failure, reason=f"{failure.reason}. It may be due to what stays float: {suspects}")


def _reason(failure: Failure | None) -> str | None:
    return None if failure is None else failure.reason


def _path(name: str, context: ExportContext) -> str:
    return f"{context.folder.name}/{name}.tflite"


def _measured(
    conversion: Conversion,
    source: Source | Failure,
    evaluation: Evaluation,
    rewritten: WeightChanges | Failure | None,
) -> Measured:
    """The record of a converted file; of one that cannot be moved, read or run, with why."""
    name, context = conversion.name, evaluation.context
    file = context.folder / f"{name}.tflite"
    if isinstance(source, Failure):
        return Measured(failed_export(name, "tflite", _path(name, context), source))
    moved = attempt(put_in_place, conversion.target, file)
    if isinstance(moved, Failure):
        return Measured(failed_export(name, "tflite", _path(name, context), moved))
    record = ExportRecord(
        name=name,
        format="tflite",
        path=_path(name, context),
        bytes=num_bytes(file),
        gzip_bytes=num_gzip_bytes(file),
        zstd_bytes=num_zstd_bytes(file),
        measures={},
        details={
            "converted_from": source.kind,
            **calibration_details(conversion, rewritten.names if isinstance(rewritten, WeightChanges) else ()),
        },
    )
    audit = attempt(audit_tflite, file, evaluation.layer_names, evaluation.aliases, fused_lstms(evaluation.model))
    if isinstance(audit, Failure):
        claims = [broken_claim("the file is well-formed", audit.reason, code="well_formed")]
        return Measured(record.model_copy(update={"claims": claims, "error": audit.reason, "error_code": audit.code}))
    ran = attempt(run, file, source, evaluation, conversion.variant, evaluation.plain.get(name))
    result = RunResult(RuntimeCheck(xnnpack_error=ran.reason)) if isinstance(ran, Failure) else ran
    claims = tflite_claims(
        conversion.variant,
        context.traits,
        context.layers,
        audit,
        result.runtime,
        _may_be_float(conversion, file, evaluation),
        evaluation.own_types,
        conversion.layers.modes,
    )
    # Not of int8: the kernel with blocks of 16 is none of XNNPACK, whose dense int8 kernels are faster (measured on
    # Dense layers of 1,024 and 512 units with 80% zeros: 37 against 20 microseconds).
    if context.sparse_is_faster and conversion.variant.sparse and conversion.variant.mode.weights == "float32":
        claims.append(sparse_latency_claim(conversion, file))
    if context.shrunk is not None:
        claims += shrunk_claims(context.shrunk, file, conversion.variant, context.layers, audit)
    if context.zero_units is not None:
        claims += zero_units_claims(context.zero_units, file, audit)
    details = {**record.details, **result.details}
    if conversion.variant.detections is not None and result.outputs is not None:
        inside = detections_claim(file, result.outputs, conversion.variant.detections, evaluation)
        claims, details = [*claims, inside[0]], {**details, "detections": inside[1]}
    if conversion.variant.mode.integer_only and any(c.code == "same_outputs" and not c.held for c in claims):
        claims, details = _with_layer_errors(claims, details, file, evaluation)
    record = record.model_copy(
        update={
            "measures": result.measures,
            "audit": audit,
            "entropy_bytes": audit.entropy_bytes,
            "sparse_bytes": audit.sparse_bytes,
            "claims": claims,
            "simulation": result.simulation,
            "explanation": result.explanation,
            "details": details,
        }
    )
    if context.target is not None:
        names, aliases, few = evaluation.layer_names, evaluation.aliases, evaluation.few
        record = for_target(record, file, context.target, names, aliases, fused_lstms(evaluation.model), few)
    record = record if result.unmeasured is None else unmeasured(record, result.unmeasured)
    return Measured(record, result.outputs, evaluation.few)


def _with_layer_errors(
    claims: list[ClaimRecord], details: dict[str, object], file: Path, evaluation: Evaluation
) -> tuple[list[ClaimRecord], dict[str, object]]:
    """Adds to a broken claim about outputs the layer in which most of the difference arises."""
    errors = attempt(layer_errors, file, evaluation.model, evaluation.few, evaluation.aliases, evaluation.work)
    if isinstance(errors, Failure):
        return claims, {**details, "layer_errors_unknown": errors.reason}
    if not errors:
        return claims, details
    shares = [
        {"layer": error.layer, "kind": error.type, "error": error.relative_error, "before": error.before}
        for error in worst(errors)
    ]
    named = [
        claim.model_copy(update={"found": f"{claim.found}; {sentence(worst(errors)[0])}"})
        if claim.code == "same_outputs" and not claim.held
        else claim
        for claim in claims
    ]
    return named, {**details, "layer_errors": shares}


def _finished(record: ExportRecord) -> ExportFinished:
    return ExportFinished(record.name, record.bytes, record.measures, all(claim.passes for claim in record.claims))
