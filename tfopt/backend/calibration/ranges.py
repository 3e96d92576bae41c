"""Ranges of a calibrated file, replaced by those that the recipe asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from tfopt.backend.calibration.clipping import clipped
from tfopt.backend.calibration.histograms import histograms
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite.one_scale import ONE_SCALE
from tfopt.backend.types import Array
from tfopt.core.config.files.calibration import Calibration

Examples = Callable[[], Iterable[Mapping[str, Array]]]

_FIXED = {"SOFTMAX", "LOGISTIC", "TANH", "LOG_SOFTMAX", "L2_NORMALIZATION"}
"""Operators whose result has a range of its own in the specification of int8, whatever is calibrated."""
_STATEFUL = {"UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM"}


def clip_ranges(file: flatbuffer.File, examples: Examples, calibration: Calibration) -> None:
    """Replaces the ranges of the outermost graph of a calibrated file by those of `calibration.range`.

    Args:
        file: whose float tensors have the smallest and the largest value of the examples; changed.
        examples: the same examples, as inputs by name of the signature.
        calibration: says how ranges are computed.
    """
    graph = file.model.subgraphs[0]
    ranges = {
        index: (float(tensor.quantization.min[0]), float(tensor.quantization.max[0]))
        for index, tensor in enumerate(graph.tensors)
        if tensor.quantization is not None and tensor.quantization.min is not None and len(tensor.quantization.min) == 1
    }
    for index, (low, high) in clipped_ranges(file, ranges, examples(), calibration, levels=256).items():
        quantization = graph.tensors[index].quantization
        quantization.min, quantization.max = np.array([low], np.float32), np.array([high], np.float32)


def clipped_ranges(
    file: flatbuffer.File,
    ranges: Mapping[int, tuple[float, float]],
    examples: Iterable[Mapping[str, Array]],
    calibration: Calibration,
    levels: int,
) -> dict[int, tuple[float, float]]:
    """The ranges that differ from those of all values, by position of the tensor in the outermost graph.

    Inputs and outputs of the file keep their range: outputs that are cut off would be equal where the model prefers
    one, and inputs are what an app writes.

    Args:
        file: with float tensors.
        ranges: the smallest and the largest value of each tensor.
        examples: inputs by name of the signature.
        calibration: says how ranges are computed.
        levels: of the integers that tensors are rounded to.
    """
    kept = _whole(file)
    inner = {index: both for index, both in ranges.items() if index not in kept}
    found = histograms(file, inner, examples)
    return {index: clipped(histogram, calibration, levels) for index, histogram in found.items()}


def _whole(file: flatbuffer.File) -> set[int]:
    """Positions of the tensors that keep their whole range."""
    graph = file.model.subgraphs[0]
    kept = {*map(int, graph.inputs), *map(int, graph.outputs)}
    for operator in graph.operators:
        name = file.operator_name(operator)
        if name in _FIXED or name in _STATEFUL:
            kept |= {*map(int, operator.outputs)}
        if name in _STATEFUL:
            kept |= {int(index) for index in (operator.intermediates if operator.intermediates is not None else ())}
    pairs = [
        {int(operator.inputs[0]), int(operator.outputs[0])}
        for operator in graph.operators
        if file.operator_name(operator) in ONE_SCALE
    ]
    while joined := set().union(*(pair for pair in pairs if pair & kept)) - kept:
        kept |= joined
    return kept
