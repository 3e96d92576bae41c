"""The operators of a file, with the length of the rows of their weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.audit.tflite import calling_layers, indices, layer_of
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.tflite import flatbuffer
from tfopt.core.config.files.weight_kernels import LSTM

_WEIGHTS: Mapping[str, tuple[int, ...]] = {
    "CONV_2D": (1,),
    "DEPTHWISE_CONV_2D": (1,),
    "TRANSPOSE_CONV": (1,),
    "FULLY_CONNECTED": (1,),
    "EMBEDDING_LOOKUP": (1,),
    "BATCH_MATMUL": (1, 0),
    LSTM: (1, 2),
}
"""Inputs that hold the weights of an operator, where they are constants."""
_KERNELS = (schema.TensorType.FLOAT32, schema.TensorType.INT8)
"""Types of weights: before quantization, and after it."""


@dataclass(frozen=True)
class Operator:
    """One operator of a file.

    Args:
        name: TFLite's name of it.
        scope: names of its results, as litert-quantizer matches them: each followed by a semicolon.
        layer: the Keras layer, where that is known.
        row: weights that a result is a sum of, in a table the length of a row; 0 for an operator without weights.
        in_loop: whether a loop or a branch runs it.
        floats: whether it reads or writes floats.
        reads: name of its first input.
        open_axes: how many axes of what a weight multiplies, or of the rows of a table, have any size.
    """

    name: str
    scope: str
    layer: str | None
    row: int
    in_loop: bool
    floats: bool
    reads: str = ""
    open_axes: int = 0


def operators(file: flatbuffer.File, names: LayerNames) -> Iterator[Operator]:
    """All operators, in the order of the file."""
    callers = calling_layers(file, names)
    for position, graph in enumerate(file.model.subgraphs):
        for operator in graph.operators:
            yield Operator(
                file.operator_name(operator),
                "".join(f"{flatbuffer.text(graph.tensors[index].name)};" for index in indices(operator.outputs)),
                layer_of(file, graph, operator, names) or callers.get(position),
                _row(file, graph, operator),
                position > 0,
                _touches_float32(graph, operator),
                _first_name(graph, operator),
                _open_axes(file, graph, operator),
            )


def _row(file: flatbuffer.File, graph: schema.SubGraphT, operator: schema.OperatorT) -> int:
    for position in _WEIGHTS.get(file.operator_name(operator), ()):
        tensor = graph.tensors[operator.inputs[position]]
        if tensor.type in _KERNELS and file.raw(tensor) is not None:
            return int(tensor.shape[-1])
    return 0


def open_shape(tensor: schema.TensorT) -> list[int]:
    """Sizes of the axes of a tensor, -1 where they are open."""
    shape = tensor.shapeSignature if tensor.shapeSignature is not None else tensor.shape
    return [int(size) for size in (shape if shape is not None else ())]


def _first_name(graph: schema.SubGraphT, operator: schema.OperatorT) -> str:
    used = indices(operator.inputs)
    return flatbuffer.text(graph.tensors[used[0]].name) if used else ""


def _open_axes(file: flatbuffer.File, graph: schema.SubGraphT, operator: schema.OperatorT) -> int:
    ports = operator.outputs if file.operator_name(operator) == "EMBEDDING_LOOKUP" else operator.inputs
    used = indices(ports)
    return sum(size < 0 for size in open_shape(graph.tensors[used[0]])[:-1]) if used else 0


def _touches_float32(graph: schema.SubGraphT, operator: schema.OperatorT) -> bool:
    used = indices(operator.inputs) + indices(operator.outputs)
    return any(graph.tensors[index].type == schema.TensorType.FLOAT32 for index in used)
