"""int8 weights of TFLite's LSTM operator in a file of litert-quantizer, which leaves them float32.

As the converter's dynamic range does it: one scale for each kernel of a gate, and the operator rounds its inputs at
each step.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.quantizer.choices import Choice
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite.changes import set_values
from tfopt.core.config.files.weight_kernels import LSTM

_KERNELS = range(1, 9)
"""Inputs that hold the kernels and recurrent kernels of the four gates."""
_MOST = 127


def round_lstms(file: flatbuffer.File, choices: Iterable[Choice]) -> None:
    """Rounds the kernels of the LSTM operators that are to have int8 weights.

    Args:
        file: to change.
        choices: of the operators of the float32 file.
    """
    chosen = {choice.operator.scope for choice in choices if choice.operator.name == LSTM and choice.mode is not None}
    for graph in file.model.subgraphs:
        for operator in graph.operators:
            scope = f"{flatbuffer.text(graph.tensors[operator.outputs[0]].name)};"
            if file.operator_name(operator) == LSTM and scope in chosen:
                operator.builtinOptions.asymmetricQuantizeInputs = True
                for position in _KERNELS:
                    if operator.inputs[position] >= 0:
                        _round(file, graph.tensors[operator.inputs[position]])


def _round(file: flatbuffer.File, tensor: schema.TensorT) -> None:
    values = file.values(tensor)
    if values is None or tensor.type != schema.TensorType.FLOAT32:
        return
    largest = float(np.abs(values).max())
    scale = (largest or 1.0) / _MOST
    set_values(file, tensor, np.clip(np.round(values / scale), -_MOST, _MOST).astype(np.int8))
    tensor.type, tensor.quantization = schema.TensorType.INT8, schema.QuantizationParametersT()
    tensor.quantization.scale = np.array([scale], np.float32)
    tensor.quantization.zeroPoint = np.zeros(1, np.int64)
