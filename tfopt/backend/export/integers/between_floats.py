"""Operators between others that TFLite has no integer kernel for: they compute in float, too.

Rounding what one of them made for the next one only costs: two more conversions, and the small values. Generalized mean
pooling (POW, MEAN, POW) of one model was off by 33 % of the standard deviation of its outputs, and by 4 % without.
"""

from __future__ import annotations

from collections.abc import Collection

from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.audit.tflite import indices, touches_float
from tfopt.backend.quantization.traced_floats import FLOAT_OPERATIONS
from tfopt.backend.tflite import flatbuffer

_FLOAT = frozenset(FLOAT_OPERATIONS.values())
_KERNELS = frozenset({"BATCH_MATMUL", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})
"""Integers pay there in any case."""


def between_floats(file: flatbuffer.File) -> list[schema.OperatorT]:
    """The operators that read only what such operators made, and whose results only such operators read.

    Args:
        file: calibrated, before it is quantized.
    """
    graph = file.model.subgraphs[0]
    floats = [operator for operator in graph.operators if file.operator_name(operator) in _FLOAT]
    maker = {index: operator for operator in graph.operators for index in indices(operator.outputs)}
    readers: dict[int, list[schema.OperatorT]] = {}
    for operator in graph.operators:
        for index in indices(operator.inputs):
            readers.setdefault(index, []).append(operator)
    ends = {*indices(graph.inputs), *indices(graph.outputs)}

    def fits(operator: schema.OperatorT, others: Collection[int]) -> bool:
        made = [maker[index] for index in indices(operator.inputs) if index in maker]
        read = [reader for index in indices(operator.outputs) for reader in readers.get(index, ())]
        at_end = ends & {*indices(operator.inputs), *indices(operator.outputs)}
        return not at_end and bool(made) and bool(read) and all(id(one) in others for one in (*made, *read))

    found = [
        operator
        for operator in graph.operators
        if operator not in floats and touches_float(graph, operator) and file.operator_name(operator) not in _KERNELS
    ]
    while True:
        others = {id(operator) for operator in (*floats, *found)}
        fitting = [operator for operator in found if fits(operator, others)]
        if len(fitting) == len(found):
            return found if floats else []
        found = fitting
