"""Runs a `.tflite` file on the test split, on both kinds of kernels, and compares its outputs with its model's."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import tf_keras

from tfopt.backend.explain import agreement
from tfopt.backend.explain.predictions import explain_output
from tfopt.backend.export.measures import file_measures
from tfopt.backend.export.plain import PlainFile
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.tflite import flatbuffer, predict
from tfopt.backend.tflite.block_weights import has_blocks, without_blocks
from tfopt.backend.tflite.child_process import ProcessCrashed, ProcessFailed
from tfopt.backend.tflite.interpreter import Kernels
from tfopt.backend.tflite.kernel_differences import operator_differences
from tfopt.backend.types import Array
from tfopt.core.claims.agreement import OutputComparison
from tfopt.core.claims.failures import Failure, attempt
from tfopt.core.claims.floats import FloatLayers
from tfopt.core.claims.kernels import Parting, RuntimeCheck, kernels_agree
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.explanation import ExplanationRecord
from tfopt.core.records.report import SimulationRecord

REFERENCE_EXAMPLES = 64
"""Test examples that also go through the reference kernels, which are up to 100 times slower than XNNPACK."""


@dataclass(frozen=True)
class Source:
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
class Evaluation:
    """Inputs of the measurement, the same for all variants.

    Args:
        context: of the export.
        layer_names: Keras names of the float model's layers.
        aliases: names of the layers that compute them in the quantized model.
        float_layers: which of them may compute in float in an int8 file.
        inputs: .npy file of the test inputs per input.
        few: .npy file of the first test inputs per input, for the reference kernels.
        work: folder for outputs.
        model: the float model.
        own_types: dtypes of the inputs and outputs that are not floats in the model, by name.
        plain: by variant that comes from a simulated model, the file that is made without the stage that simulates.
    """

    context: ExportContext
    layer_names: tuple[str, ...]
    aliases: Mapping[str, str]
    float_layers: FloatLayers
    inputs: Mapping[str, Path]
    few: Mapping[str, Path]
    work: Path
    model: tf_keras.Model
    own_types: Mapping[str, str] = field(default_factory=dict)
    plain: Mapping[str, PlainFile] = field(default_factory=dict)


@dataclass(frozen=True)
class RunResult:
    """How a file ran.

    Args:
        runtime: on each kind of kernels.
        measures: of its outputs on the test split.
        details: how it was run.
        simulation: what the quantizing stage was worth, for an integer file after one.
        unmeasured: why its outputs could not be judged; None where they could.
        outputs: on the test split by output name; None where it did not run.
        explanation: which predictions differ from those of its model; None where it did not run.
    """

    runtime: RuntimeCheck
    measures: dict[str, float] = field(default_factory=dict)
    details: dict[str, object] = field(default_factory=dict)
    simulation: SimulationRecord | None = None
    unmeasured: Failure | None = None
    outputs: Mapping[str, Array] | None = None
    explanation: ExplanationRecord | None = None


def run(file: Path, source: Source, evaluation: Evaluation, variant: Variant, plain: PlainFile | None) -> RunResult:
    """Runs a file; each kind of kernels in a process of its own, so that a crash names it.

    Args:
        file: in its place.
        source: the model it was made of.
        evaluation: test examples, and what must hold.
        variant: its keys in the recipe.
        plain: the file of the model before the stage that simulates integers, to compare with; None without one.
    """
    context = evaluation.context
    threads = os.cpu_count() or 1
    try:
        xnnpack = predict.run_file(file, evaluation.inputs, evaluation.work, threads)
    except (ProcessCrashed, ProcessFailed) as error:
        return RunResult(RuntimeCheck(xnnpack_error=str(error), reference_error=_reference_error(file, evaluation)))
    judged = attempt(file_measures, xnnpack.outputs, context.data.test, context.compile, context.dense)
    failure, measures = (judged, {}) if isinstance(judged, Failure) else (None, judged)
    compared = agreement.compare_each(xnnpack.outputs, source.outputs, context.compile, context.data.test.targets)
    measures |= {name: value for one in compared for name, value in one.measures().items()}
    simulation = None
    if plain is not None:
        simulation = plain.compared_with(file, xnnpack.outputs, evaluation.inputs, context)
        measures |= _within_quantum(simulation, xnnpack.outputs, source.outputs)
    details: dict[str, object] = {"batch": xnnpack.batch, "threads": xnnpack.threads}
    if xnnpack.reason:
        details["one_by_one"] = xnnpack.reason
    runtime = on_other_kernels(file, xnnpack.outputs, evaluation, variant, threads)
    if variant.sparse:
        runtime = _on_every_kernel(runtime, file, xnnpack.outputs, evaluation, variant)
    explained = attempt(
        explain_output,
        source.outputs,
        xnnpack.outputs,
        context.data,
        context.compile,
        against="the Keras model it came from",
    )
    return RunResult(
        replace(runtime, agreement=compared),
        measures,
        details,
        simulation,
        failure,
        xnnpack.outputs,
        None if isinstance(explained, Failure) else explained,
    )


def _within_quantum(
    simulation: SimulationRecord, found: Mapping[str, Array], expected: Mapping[str, Array]
) -> dict[str, float]:
    """Of each output with a step of its own, the share of values that are as close as it can tell."""
    if simulation.quanta is not None:
        return {
            f"{name}_within_quantum": agreement.share_within(found[name], expected[name], quantum)
            for name, quantum in simulation.quanta.items()
        }
    if simulation.quantum is None:
        return {}
    (one,), (other,) = found.values(), expected.values()
    return {"within_quantum": agreement.share_within(one, other, simulation.quantum)}


def on_other_kernels(
    file: Path, expected: Mapping[str, Array], evaluation: Evaluation, variant: Variant, threads: int
) -> RuntimeCheck:
    """Compares the outputs on XNNPACK with those on the reference kernels, or on the built-in ones where the former
    lack an operator or are known to be wrong; where they differ, each operator by itself.

    Args:
        file: that runs on XNNPACK.
        expected: its outputs there, (examples, ...), by name.
        evaluation: the first test examples.
        variant: how equal the outputs must be.
        threads: that kernels may use.
    """
    context = evaluation.context
    parsed = flatbuffer.read(file)
    if has_blocks(parsed):
        twin = evaluation.work / f"{file.stem}-float-blocks.tflite"
        twin.write_bytes(flatbuffer.serialize(without_blocks(parsed)))
        return _on_float_blocks(twin, expected, evaluation, variant, threads)
    compared_on: Literal["reference", "builtin"] = "reference"
    lacking: tuple[str, ...] = ()
    found = _outputs(file, evaluation, threads, compared_on)
    if isinstance(found, Failure) and (lacking := missing_operators(found.reason)):
        compared_on = "builtin"
        found = _outputs(file, evaluation, threads, compared_on)
    if isinstance(found, Failure):
        return RuntimeCheck(reference_error=found.reason, compared_on=compared_on, lacking=lacking)
    kernels = _apart(found, expected, context.compile, variant)
    check = RuntimeCheck(kernels=kernels, compared_on=compared_on, lacking=lacking)
    if kernels_agree(variant, kernels):
        return check
    differences = attempt(operator_differences, file, evaluation.few)
    if isinstance(differences, Failure):
        return check
    names = LayerNames(evaluation.layer_names, evaluation.aliases)
    partings = [
        Parting(one.operator, one.dtype, names.of(one.tensor), one.to_default, one.others) for one in differences
    ]
    check = replace(check, operators=partings)
    if compared_on == "builtin" or not any(one.parts and one.known_fault for one in partings):
        return check
    found = _outputs(file, evaluation, threads, "builtin")
    if isinstance(found, Failure):
        return replace(check, reference_error=found.reason, compared_on="builtin")
    return replace(check, kernels=_apart(found, expected, context.compile, variant), compared_on="builtin")


def _apart(
    found: Mapping[str, Array], expected: Mapping[str, Array], compile: Compile, variant: Variant
) -> OutputComparison:
    """The comparison of the first test examples; of several outputs, that of the first that is not equal enough."""
    few = {name: values[:REFERENCE_EXAMPLES] for name, values in expected.items()}
    compared = agreement.compare_each(found, few, compile)
    return next((one for one in compared if not kernels_agree(variant, one)), compared[0])


def _on_every_kernel(
    runtime: RuntimeCheck, file: Path, expected: Mapping[str, Array], evaluation: Evaluation, variant: Variant
) -> RuntimeCheck:
    """Adds the built-in kernels, and which kernels return NaN: each kind has sparse kernels of its own."""
    first = {name: values[:REFERENCE_EXAMPLES] for name, values in expected.items()}
    few: dict[str, Mapping[str, Array] | Failure] = {"default": first}
    others: tuple[Kernels, ...] = ("builtin", "reference")
    few |= {kernels: _outputs(file, evaluation, 1, kernels) for kernels in others}
    builtin = few["builtin"]
    return replace(
        runtime,
        builtin=None
        if isinstance(builtin, Failure)
        else _apart(builtin, expected, evaluation.context.compile, variant),
        builtin_error=builtin.reason if isinstance(builtin, Failure) else None,
        not_numbers=tuple(
            kernels
            for kernels, made in few.items()
            if not isinstance(made, Failure) and any(np.isnan(values).any() for values in made.values())
        ),
    )


def _outputs(file: Path, evaluation: Evaluation, threads: int, kernels: Kernels) -> Mapping[str, Array] | Failure:
    """The outputs of a file for the first test examples."""
    ran = attempt(predict.run_file, file, evaluation.few, evaluation.work, threads, kernels)
    return ran if isinstance(ran, Failure) else ran.outputs


def _on_float_blocks(
    twin: Path, expected: Mapping[str, Array], evaluation: Evaluation, variant: Variant, threads: int
) -> RuntimeCheck:
    found = _outputs(twin, evaluation, threads, "reference")
    if isinstance(found, Failure):
        return RuntimeCheck(reference_error=found.reason, compared_on="float_blocks")
    compared = _apart(found, expected, evaluation.context.compile, variant)
    return RuntimeCheck(kernels=compared, compared_on="float_blocks")


def missing_operators(reason: str) -> tuple[str, ...]:
    """Operators that an interpreter says it does not have, such as `TILE (version 3)`."""
    found = re.findall(r"Didn't find op for builtin opcode '(\w+)' version '(\d+)'", reason)
    return tuple(dict.fromkeys(f"{name} (version {version})" for name, version in found))


def _reference_error(file: Path, evaluation: Evaluation) -> str | None:
    found = _outputs(file, evaluation, 1, "reference")
    return found.reason if isinstance(found, Failure) else None
