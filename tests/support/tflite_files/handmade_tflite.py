"""Builds `.tflite` files tensor by tensor, for what no converter writes on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema


@dataclass
class Tensor:
    """One tensor; without `data` it holds none."""

    name: str
    dtype: int
    shape: Sequence[int]
    data: np.ndarray | None = None
    scales: Sequence[float] = ()
    zero_points: Sequence[int] = ()
    axis: int = 0
    sparsity: Any = None


@dataclass
class Graph:
    """Tensors, operators as (builtin code, inputs, outputs), and ports."""

    tensors: Sequence[Tensor]
    operators: Sequence[tuple[int, Sequence[int], Sequence[int]]] = ()
    inputs: Sequence[int] = ()
    outputs: Sequence[int] = ()
    names: dict[str, str] = field(default_factory=dict)


def write(path: Path, *graphs: Graph) -> Path:
    """Writes a file with these subgraphs."""
    model = schema.ModelT()
    model.version, model.description = 3, "handmade"
    empty = schema.BufferT()
    model.buffers, model.subgraphs, model.operatorCodes = [empty], [], []
    for graph in graphs:
        made = schema.SubGraphT()
        made.tensors = [_tensor(tensor, model) for tensor in graph.tensors]
        made.operators = [_operator(operator, model) for operator in graph.operators]
        made.inputs, made.outputs = list(graph.inputs), list(graph.outputs)
        model.subgraphs.append(made)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def _tensor(tensor: Tensor, model: Any) -> Any:
    made = schema.TensorT()
    made.name, made.type, made.shape, made.buffer = tensor.name.encode(), tensor.dtype, list(tensor.shape), 0
    made.sparsity = tensor.sparsity
    if tensor.data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(tensor.data.tobytes(), np.uint8)
        made.buffer = len(model.buffers)
        model.buffers.append(buffer)
    if tensor.scales:
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale = list(tensor.scales)
        made.quantization.zeroPoint = list(tensor.zero_points)
        made.quantization.quantizedDimension = tensor.axis
    return made


def _operator(operator: tuple[int, Sequence[int], Sequence[int]], model: Any) -> Any:
    code, inputs, outputs = operator
    made, named = schema.OperatorT(), schema.OperatorCodeT()
    named.builtinCode, named.deprecatedBuiltinCode, named.version = code, min(code, 127), 1
    made.opcodeIndex, made.inputs, made.outputs = len(model.operatorCodes), list(inputs), list(outputs)
    model.operatorCodes.append(named)
    return made
