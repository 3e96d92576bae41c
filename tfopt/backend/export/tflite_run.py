"""Runs a `.tflite` file on the test split, on both kinds of kernels, and compares its outputs with its model's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfopt.backend.export import agreement
from tfopt.backend.export.measures import file_measures
from tfopt.backend.export.plain import PlainFile
from tfopt.backend.tflite import predict
from tfopt.backend.tflite.child_process import ProcessCrashed, ProcessFailed
from tfopt.backend.types import Array
from tfopt.core.claims.agreement import RuntimeCheck
from tfopt.core.claims.failures import Failure, attempt
from tfopt.core.claims.tflite import FloatLayers
from tfopt.core.contracts.export import ExportContext
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
        plain: by variant that comes from a simulated model, the file that is made without the stage that simulates.
    """

    context: ExportContext
    layer_names: tuple[str, ...]
    aliases: Mapping[str, str]
    float_layers: FloatLayers
    inputs: Mapping[str, Path]
    few: Mapping[str, Path]
    work: Path
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
    """

    runtime: RuntimeCheck
    measures: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    simulation: SimulationRecord | None = None
    unmeasured: Failure | None = None


def run(file: Path, source: Source, evaluation: Evaluation, plain: PlainFile | None) -> RunResult:
    """Runs a file; each kind of kernels in a process of its own, so that a crash names it.

    Args:
        file: in its place.
        source: the model it was made of.
        evaluation: test examples, and what must hold.
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
        runtime = RuntimeCheck(reference_error=str(error), agreement=compared)
        return RunResult(runtime, measures, details, simulation, failure)
    kernels = agreement.compare(reference.outputs[name], xnnpack.outputs[name][:REFERENCE_EXAMPLES], context.compile)
    return RunResult(RuntimeCheck(agreement=compared, kernels=kernels), measures, details, simulation, failure)


def _reference_error(file: Path, evaluation: Evaluation) -> str | None:
    try:
        predict.run_file(file, evaluation.few, evaluation.work, 1, "reference")
    except (ProcessCrashed, ProcessFailed) as error:
        return str(error)
    return None
