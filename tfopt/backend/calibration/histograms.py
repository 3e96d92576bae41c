"""How often each value occurs in the inner tensors of a float `.tflite` file, over the calibration examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfopt.backend.tflite import flatbuffer
from tfopt.backend.types import Array

BINS = 2048


@dataclass(frozen=True)
class Histogram:
    """The values of one tensor.

    Args:
        low: the smallest.
        high: the largest.
        counts: values in each of `BINS` equal parts from `low` to `high`, exact zeros left out.
        zeros: how many values are exactly 0; rounding leaves them alone.
    """

    low: float
    high: float
    counts: Array
    zeros: int


def histograms(
    file: flatbuffer.File, ranges: Mapping[int, tuple[float, float]], examples: Iterable[Mapping[str, Array]]
) -> dict[int, Histogram]:
    """Histograms of tensors of the outermost graph.

    Args:
        file: with float tensors.
        ranges: the smallest and the largest value of each tensor to look at, by its position.
        examples: inputs by name of the signature; each begins without a state.

    Returns:
        By position; tensors whose values are all equal, and those without memory of their own, are left out.
    """
    wanted = {index: (low, high) for index, (low, high) in ranges.items() if high > low}
    ports = {flatbuffer.text(port.name): int(port.tensorIndex) for port in file.model.signatureDefs[0].inputs}
    interpreter = Interpreter(
        model_content=flatbuffer.serialize(file),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    counts = {index: np.zeros(BINS, np.int64) for index in wanted}
    zeros = dict.fromkeys(wanted, 0)
    shapes: dict[str, tuple[int, ...]] = {}
    for example in examples:
        if shapes != (shapes := {name: values.shape for name, values in example.items()}):
            for name, shape in shapes.items():
                interpreter.resize_tensor_input(ports[name], shape)
            interpreter.allocate_tensors()
        interpreter.reset_all_variables()
        for name, values in example.items():
            interpreter.set_tensor(ports[name], values)
        interpreter.invoke()
        for index in [*wanted]:
            try:
                found = interpreter.get_tensor(index)
            except ValueError:  # what a loop passes on unchanged has no memory of its own
                del wanted[index]
                continue
            nonzero = found[found != 0]
            zeros[index] += found.size - nonzero.size
            counts[index] += _counted(nonzero, *wanted[index])
    return {index: Histogram(*wanted[index], counts[index], zeros[index]) for index in wanted}


def _counted(values: Array, low: float, high: float) -> Array:
    bins = ((values.astype(np.float64) - low) * (BINS / (high - low))).astype(np.int64)
    return np.bincount(np.clip(bins, 0, BINS - 1), minlength=BINS)
