"""Additions to a parsed `.tflite` file: constants, and operators in its list of operators."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.tflite import flatbuffer
from tfopt.backend.types import Array

_MOST_DEPRECATED = 127
"""What the old field for operators, a byte, holds for those that do not fit into it."""
_TYPES = {np.dtype(np.float32): schema.TensorType.FLOAT32, np.dtype(np.int32): schema.TensorType.INT32}


def add_buffer(file: flatbuffer.File, values: Array) -> int:
    """Position of a new buffer with the bytes of an array."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    file.model.buffers.append(buffer)
    return len(file.model.buffers) - 1


def set_values(file: flatbuffer.File, tensor: schema.TensorT, values: Array) -> None:
    """Gives a tensor other values, and leaves the old ones in the file only where another tensor has them too."""
    sharing = sum(other.buffer == tensor.buffer for graph in file.model.subgraphs for other in graph.tensors)
    if sharing > 1:
        tensor.buffer = add_buffer(file, values)
    else:
        file.model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)


def add_constant(file: flatbuffer.File, graph: schema.SubGraphT, values: Array, name: str) -> int:
    """Position of a new constant in a graph: float32 or int32."""
    tensor = schema.TensorT()
    tensor.shape, tensor.type, tensor.name = [*values.shape], _TYPES[values.dtype], name
    tensor.buffer = add_buffer(file, values)
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def operator_code(file: flatbuffer.File, operator: int, version: int) -> int:
    """Position of an operator in the file's list of operators, which gets it where it is not in it."""
    codes = file.model.operatorCodes
    for position, code in enumerate(codes):
        if (code.builtinCode, code.version) == (operator, version):
            return position
    added = schema.OperatorCodeT()
    added.builtinCode, added.deprecatedBuiltinCode, added.version = operator, min(operator, _MOST_DEPRECATED), version
    codes.append(added)
    return len(codes) - 1
