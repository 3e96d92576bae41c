"""Loops of recurrent layers (WHILE) on their way into an int8 file: calibrated, kept float, their kernels in int8.

TFLite has one fused operator, for LSTM with its default activations; every other recurrent layer is a loop. Quantized
like the rest of a file, a loop rounds its state to 8 bits at each step, and a gate that is clipped (`hard_sigmoid`)
gets the scale of what it is clipped from: measured on a published LSTM, a forget gate with four levels, and 90.3 %
accuracy instead of 97.8 %. So the body of a loop computes in float, with int8 kernels as in a file of dynamic range.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite.changes import operator_code, set_values
from tfopt.backend.types import Array

_COPY = "/unchanged"
"""Ends the name of a tensor that `separate_passed_values` adds."""

_KERNELS = {"FULLY_CONNECTED": 12, "CONV_2D": 5}
"""Operators that take float values and an int8 kernel with a scale per channel, and since which version."""


def has_loops(file: flatbuffer.File) -> bool:
    """Whether a file has a loop."""
    return any(True for _ in _loops(file))


def separate_passed_values(file: flatbuffer.File) -> None:
    """Copies each float value that a loop passes on unchanged, so that the converter can calibrate the file.

    WHILE frees the memory of a result that is the same tensor as the input of its body, and the converter's
    calibration reads it all the same: a segmentation fault (tensorflow/tensorflow issue 75140, TensorFlow 2.21). Every
    recurrent layer has such a value, the sequence that it reads.
    """
    for _, body in _loops(file):
        for position, (before, after) in enumerate(zip(body.inputs, body.outputs, strict=True)):
            if before == after and body.tensors[before].type == schema.TensorType.FLOAT32:
                _copy_output(file, body, position)


def join_passed_values(file: flatbuffer.File) -> None:
    """Undoes `separate_passed_values`, in the file that the converter calibrated."""
    for _, body in _loops(file):
        while flatbuffer.text(body.tensors[-1].name).endswith(_COPY):
            added, operator = len(body.tensors) - 1, body.operators.pop()
            body.outputs = [operator.inputs[0] if index == added else index for index in body.outputs]
            body.tensors.pop()


def keep_loops_float(file: flatbuffer.File) -> None:
    """Removes the calibrated ranges inside of loops: where a tensor has none, nothing is quantized."""
    for graph in _called(file):
        for tensor in graph.tensors:
            if tensor.quantization is not None and tensor.quantization.scale is None:
                tensor.quantization = None


def begin_with_constants(file: flatbuffer.File) -> None:
    """Gives each loop that shares its first state with a fused LSTM a constant of its own.

    The fused operator makes the tensor of zeros a variable, which has no values in the file. For the loop the quantizer
    writes what its memory holds: zeros at first, from the second conversion of a process on anything (measured,
    TensorFlow 2.21: states that begin with 12, outputs off by their whole range).
    """
    for graph in file.model.subgraphs:
        for operator in graph.operators:
            if file.operator_name(operator) == "WHILE":
                operator.inputs = [_constant_of(file, graph, int(index)) for index in operator.inputs]


def _constant_of(file: flatbuffer.File, graph: schema.SubGraphT, index: int) -> int:
    """Position of a tensor that holds the zeros of a variable; the same position for what is no variable."""
    tensor = graph.tensors[index]
    if not tensor.isVariable or tensor.type != schema.TensorType.FLOAT32:
        return index
    zeros, buffer = copy.deepcopy(tensor), schema.BufferT()
    buffer.data = np.zeros(4 * int(np.prod(tensor.shape)), np.uint8)
    file.model.buffers.append(buffer)
    zeros.isVariable, zeros.buffer = False, len(file.model.buffers) - 1
    zeros.name = flatbuffer.text(tensor.name) + "/first"
    graph.tensors.append(zeros)
    return len(graph.tensors) - 1


def name_loops(file: flatbuffer.File, variables: Mapping[str, Array]) -> None:
    """Names results and constants of each loop after a variable that it holds; the converter drops the layer's name.

    Args:
        file: whose loops are in float.
        variables: values by name, such as `cell/gru_cell/kernel`.
    """
    for operator, body in _loops(file):
        owner = next((name for tensor in body.tensors if (name := variable_of(file, tensor, variables))), None)
        graph = next(graph for graph in file.model.subgraphs if any(operator is each for each in graph.operators))
        for index in operator.outputs if owner else ():
            name = flatbuffer.text(graph.tensors[index].name)
            graph.tensors[index].name = f"model/{owner}/{name}"
        for tensor in body.tensors if owner else ():
            if tensor.type == schema.TensorType.FLOAT32 and file.values(tensor) is not None:
                tensor.name = f"model/{owner}/{flatbuffer.text(tensor.name)}"


def store_kernels_as_int8(file: flatbuffer.File) -> None:
    """Stores the kernels of loops in int8, with a scale for each channel; the operators compute in float.

    TFLite rounds what such an operator reads at each call, with a range of its own: dynamic range.
    """
    codes = {
        name: operator_code(file, getattr(schema.BuiltinOperator, name), version) for name, version in _KERNELS.items()
    }
    for graph in _called(file):
        for operator in graph.operators:
            name = file.operator_name(operator)
            kernel = graph.tensors[operator.inputs[1]] if name in _KERNELS else None
            values = None if kernel is None or kernel.type != schema.TensorType.FLOAT32 else file.values(kernel)
            if kernel is None or values is None:
                continue
            _round_kernel(file, kernel, values)
            operator.opcodeIndex = codes[name]
            if name == "FULLY_CONNECTED":
                operator.builtinOptions.asymmetricQuantizeInputs = True


def _loops(file: flatbuffer.File) -> Iterator[tuple[schema.OperatorT, schema.SubGraphT]]:
    """Each WHILE and its body."""
    for graph in file.model.subgraphs:
        for operator in graph.operators:
            if file.operator_name(operator) == "WHILE":
                yield operator, file.model.subgraphs[operator.builtinOptions.bodySubgraphIndex]


def _called(file: flatbuffer.File) -> Iterator[schema.SubGraphT]:
    """The bodies and conditions of all loops."""
    for operator, body in _loops(file):
        yield body
        yield file.model.subgraphs[operator.builtinOptions.condSubgraphIndex]


def _copy_output(file: flatbuffer.File, body: schema.SubGraphT, position: int) -> None:
    """Makes an output of a graph a copy: the greater of a value and itself, as no operator only copies any shape."""
    source = int(body.outputs[position])
    result = copy.deepcopy(body.tensors[source])
    result.name, result.buffer = flatbuffer.text(result.name) + _COPY, 0
    operator = schema.OperatorT()
    operator.opcodeIndex = operator_code(file, schema.BuiltinOperator.MAXIMUM, 1)
    operator.inputs, operator.outputs = [source, source], [len(body.tensors)]
    operator.builtinOptionsType = schema.BuiltinOptions.MaximumMinimumOptions
    operator.builtinOptions = schema.MaximumMinimumOptionsT()
    body.outputs = [len(body.tensors) if at == position else index for at, index in enumerate(body.outputs)]
    body.tensors.append(result)
    body.operators.append(operator)


def variable_of(file: flatbuffer.File, tensor: schema.TensorT, variables: Mapping[str, Array]) -> str | None:
    """Name of the variable that a constant is made of, as a whole or in part, in any order."""
    values = file.values(tensor) if tensor.type == schema.TensorType.FLOAT32 else None
    if values is None or values.ndim < 2 or values.min() == values.max():
        return None
    return next(
        (name for name, known in variables.items() if values.size <= known.size and np.isin(values, known).all()), None
    )


def _round_kernel(file: flatbuffer.File, tensor: schema.TensorT, values: Array) -> None:
    rows = np.abs(values.reshape(len(values), -1)).max(axis=1)
    scales = np.where(rows > 0, rows, 1).astype(np.float32) / np.float32(127)
    rounded = np.clip(np.round(values / scales.reshape(-1, *[1] * (values.ndim - 1))), -127, 127).astype(np.int8)
    set_values(file, tensor, rounded)
    tensor.type = schema.TensorType.INT8
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale, tensor.quantization.zeroPoint = scales, np.zeros(len(scales), np.int64)
    tensor.quantization.quantizedDimension = 0
