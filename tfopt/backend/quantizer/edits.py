"""Changes of a file before and after litert-quantizer: it reaches more of it, and the result takes any batch."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.audit.tflite import graphs_called_from_outside, indices
from tfopt.backend.quantizer.operators import open_shape
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite.changes import add_buffer, add_constant, operator_code


def name_uniquely(file: flatbuffer.File) -> None:
    """Gives tensors of the same name a number: the quantizer tells tensors by name."""
    seen: Counter[str] = Counter()
    for graph in file.model.subgraphs:
        for tensor in graph.tensors:
            name = flatbuffer.text(tensor.name)
            seen[name] += 1
            if seen[name] > 1:
                tensor.name = f"{name}#{seen[name]}"


def look_tables_up(file: flatbuffer.File, wanted: Callable[[schema.SubGraphT, schema.OperatorT], bool]) -> None:
    """Makes GATHER from a table EMBEDDING_LOOKUP, the only operator that reads rows of small integers.

    The converter writes `Embedding` as GATHER, with ids of any shape; EMBEDDING_LOOKUP takes a list of ids. So ids
    become a list, and rows get the shape of the ids again. Tables whose ids have several open axes stay.

    Args:
        file: to change.
        wanted: which operators this is for.
    """
    for position in graphs_called_from_outside(file):
        graph = file.model.subgraphs[position]
        operators: list[schema.OperatorT] = []
        for operator in graph.operators:
            is_meant = reads_table(file, graph, operator) and wanted(graph, operator)
            operators += look_up(file, graph, operator) if is_meant else [operator]
        graph.operators = operators


def reshape_axes(file: flatbuffer.File) -> None:
    """Makes EXPAND_DIMS and SQUEEZE, around each Conv1D, RESHAPE: the quantizer has integer forms of that only."""
    graph = file.model.subgraphs[0]
    for at, operator in enumerate(graph.operators):
        result = graph.tensors[operator.outputs[0]]
        shape = open_shape(result)
        if file.operator_name(operator) in ("EXPAND_DIMS", "SQUEEZE") and sum(size < 0 for size in shape) < 2:
            name = flatbuffer.text(result.name)
            graph.operators[at] = _reshape(file, graph, operator.inputs[0], operator.outputs[0], shape, f"{name}/sizes")


def reads_table(file: flatbuffer.File, graph: schema.SubGraphT, operator: schema.OperatorT) -> bool:
    if file.operator_name(operator) != "GATHER":
        return False
    options = operator.builtinOptions
    table, ids = (graph.tensors[index] for index in operator.inputs[:2])
    return (
        (options is None or (options.axis == 0 and options.batchDims == 0))
        and table.type in (schema.TensorType.FLOAT32, schema.TensorType.INT8, schema.TensorType.INT4)
        and file.raw(table) is not None
        and len(table.shape) == 2
        and ids.type == schema.TensorType.INT32
        and sum(size < 0 for size in open_shape(graph.tensors[operator.outputs[0]])) < 2
    )


def look_up(
    file: flatbuffer.File, graph: schema.SubGraphT, gather: schema.OperatorT, through_float: bool = False
) -> list[schema.OperatorT]:
    """The operators that do what GATHER did.

    Args:
        file: to change.
        graph: of the operator.
        gather: reads rows of a table.
        through_float: its results are integers, which EMBEDDING_LOOKUP does not make: its floats are quantized.
    """
    table, ids = (graph.tensors[index] for index in gather.inputs[:2])
    rows = graph.tensors[gather.outputs[0]]
    name, count = flatbuffer.text(rows.name), int(np.prod(ids.shape))
    listed = _like(graph, ids, [count], [-1], f"{name}/ids")
    found = _like(graph, rows, [count, int(table.shape[1])], [-1, int(table.shape[1])], f"{name}/rows")
    shape, rounded = open_shape(rows), []
    made = found
    if through_float:
        made = _like(graph, rows, [count, int(table.shape[1])], [-1, int(table.shape[1])], f"{name}/quantized")
        graph.tensors[found].type, graph.tensors[found].quantization = schema.TensorType.FLOAT32, None
        rounded = [_operator(file, schema.BuiltinOperator.QUANTIZE, [found], made)]
    return [
        _reshape(file, graph, gather.inputs[1], listed, [-1], f"{name}/list"),
        _operator(file, schema.BuiltinOperator.EMBEDDING_LOOKUP, [listed, gather.inputs[0]], found),
        *rounded,
        _reshape(file, graph, made, gather.outputs[0], shape, f"{name}/shape"),
    ]


def _like(
    graph: schema.SubGraphT, tensor: schema.TensorT, shape: Sequence[int], open_shape: Sequence[int], name: str
) -> int:
    """Position of a new tensor with the dtype of another."""
    made = copy.deepcopy(tensor)
    made.shape, made.shapeSignature, made.name, made.buffer = [*shape], [*open_shape], name, 0
    graph.tensors.append(made)
    return len(graph.tensors) - 1


def _reshape(
    file: flatbuffer.File, graph: schema.SubGraphT, source: int, target: int, shape: Sequence[int], name: str
) -> schema.OperatorT:
    sizes = add_constant(file, graph, np.asarray(shape, np.int32), name)
    return _operator(file, schema.BuiltinOperator.RESHAPE, [source, sizes], target)


def _operator(file: flatbuffer.File, code: int, inputs: Sequence[int], output: int) -> schema.OperatorT:
    operator = schema.OperatorT()
    operator.opcodeIndex = operator_code(file, code, 1)
    operator.inputs, operator.outputs = [int(index) for index in inputs], [int(output)]
    return operator


def free_rotations(file: flatbuffer.File) -> None:
    """Lets a rotated input have as many examples as before: the quantizer writes shapes for one example.

    Changes the constants of the RESHAPE before and after each rotation. Which tensor was rotated, their names say.
    """
    for graph in file.model.subgraphs:
        named = {flatbuffer.text(tensor.name): tensor for tensor in graph.tensors}
        for name, tensor in named.items():
            base, _, kind = name.rpartition("_")
            before, after = base.removesuffix("_prerotate"), base.removesuffix("_postrotate")
            sizes = file.values(tensor) if kind == "shape" else None
            if sizes is None:
                continue
            if before != base and before in named:
                tensor.buffer = add_buffer(file, np.asarray([-1, sizes[-1]], np.int32))
            elif after != base and after in named:
                tensor.buffer = add_buffer(file, np.asarray([*open_shape(named[after])[:-1], sizes[-1]], np.int32))


def read_shapes_of_integers(file: flatbuffer.File) -> None:
    """Lets SHAPE read the integers themselves: the quantizer has no such form of it, and makes floats of them first.

    A float copy that nothing else reads is left out.
    """
    for graph in file.model.subgraphs:
        copies = {one.outputs[0]: one for one in graph.operators if file.operator_name(one) == "DEQUANTIZE"}
        for operator in graph.operators:
            if file.operator_name(operator) == "SHAPE" and operator.inputs[0] in copies:
                operator.inputs = [int(copies[operator.inputs[0]].inputs[0])]
        read = {*indices(graph.outputs), *(index for one in graph.operators for index in indices(one.inputs))}
        graph.operators = [one for one in graph.operators if one.outputs[0] not in copies or one.outputs[0] in read]
