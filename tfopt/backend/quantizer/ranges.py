"""Ranges of the activations of a float32 file, over examples.

litert-quantizer has a calibration of its own: a moving average of each example's least and greatest value. Whatever
lies beyond the average is cut off. Measured over 16 examples on a Dense model in int16x8: largest error 0.59 standard
deviations of the output with that, 0.02 with the least and greatest values of all examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfopt.backend.tflite import flatbuffer
from tfopt.backend.types import Array


@dataclass(frozen=True)
class Range:
    """Least and greatest value of a tensor.

    Args:
        low: least.
        high: greatest.
        rank: number of axes of the tensor.
    """

    low: float
    high: float
    rank: int

    def as_statistics(self) -> dict[str, Any]:
        """In the form of litert-quantizer: arrays with as many axes as the tensor."""
        shape = (1,) * self.rank
        return {
            "min": np.full(shape, self.low, np.float32),
            "max": np.full(shape, self.high, np.float32),
        }


def activation_ranges(file: flatbuffer.File, examples: Iterable[Mapping[str, Array]]) -> dict[str, Range]:
    """The range of each float tensor of the outermost graph that is computed, or given as an input.

    Args:
        file: float32.
        examples: inputs by name in the signature.

    Returns:
        By name of the tensor.
    """
    graph = file.model.subgraphs[0]
    ports = {flatbuffer.text(port.name): int(port.tensorIndex) for port in file.model.signatureDefs[0].inputs}
    wanted = [
        index
        for index, tensor in enumerate(graph.tensors)
        if tensor.type == schema.TensorType.FLOAT32 and file.raw(tensor) is None and not tensor.isVariable
    ]
    interpreter = Interpreter(
        model_content=flatbuffer.serialize(file),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    found: dict[int, tuple[float, float, int]] = {}
    for example in examples:
        for name, values in example.items():
            interpreter.resize_tensor_input(ports[name], values.shape)
        interpreter.allocate_tensors()
        interpreter.reset_all_variables()
        for name, values in example.items():
            interpreter.set_tensor(ports[name], values)
        interpreter.invoke()
        for index in wanted:
            try:
                values = interpreter.get_tensor(index)
            except ValueError:  # "Tensor data is null": what a loop passes on unchanged, and no operator reads
                continue
            low, high, _ = found.get(index, (np.inf, -np.inf, 0))
            if values.size:
                found[index] = (min(low, float(values.min())), max(high, float(values.max())), values.ndim)
    return {flatbuffer.text(graph.tensors[index].name): Range(*values) for index, values in found.items()}
