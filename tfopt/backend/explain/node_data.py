"""Values of a file's operators as node data for Model Explorer: bytes, zeros, error and time.

Nodes are named as Model Explorer's flatbuffer adapter for `.tflite` (its default) names them: an operator by its
position in its graph; a graph by its name, or `main` and `subgraph_1`, `subgraph_2`, ... where it has none. Format:
`model_explorer.node_data_builder.ModelNodeData`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.audit.tflite import indices
from tfopt.backend.explain.float_operators import dequantized_constants
from tfopt.backend.tflite import flatbuffer
from tfopt.core.records.explanation import LayerErrorRecord

_LIGHT, _DARK = "#ffffff", {"bytes": "#3b7dd8", "zeros": "#2e9e6b", "error": "#d8553b", "time": "#8a5cc2"}
_NAMES = {
    "bytes": "bytes of weights",
    "zeros": "zeros in weights (%)",
    "error": "error of the output (% of its range)",
    "time": "time (µs, each operator alone)",
}


@dataclass(frozen=True)
class _Constant:
    """Data that an operator reads."""

    bytes: int
    values: int
    zeros: int


def node_data(
    file: flatbuffer.File, errors: Sequence[LayerErrorRecord] = (), times: Mapping[int, float] | None = None
) -> dict[str, dict[str, object]]:
    """Model Explorer's documents, one per measure: `bytes`, `zeros`, and `error` and `time` where they are known.

    Args:
        file: parsed.
        errors: of tensors of the file.
        times: milliseconds by position of the operator in the first graph.
    """
    by_tensor = {error.tensor: 100 * error.relative_error for error in errors}
    measures: dict[str, Callable[[int, int, schema.OperatorT], float | None]] = {
        "bytes": lambda number, position, operator: _bytes(file, file.model.subgraphs[number], operator),
        "zeros": lambda number, position, operator: _zeros(file, file.model.subgraphs[number], operator),
    }
    if by_tensor:
        measures["error"] = lambda number, position, operator: _error(file.model.subgraphs[number], operator, by_tensor)
    if times is not None:
        measures["time"] = lambda number, position, operator: (
            1000 * times[position] if number == 0 and position in times else None
        )
    return {name: _document(file, name, measure) for name, measure in measures.items()}


def _document(
    file: flatbuffer.File, name: str, measure: Callable[[int, int, schema.OperatorT], float | None]
) -> dict[str, object]:
    document: dict[str, object] = {}
    for number, graph in enumerate(file.model.subgraphs):
        found = {
            str(position): measure(number, position, operator) for position, operator in enumerate(graph.operators)
        }
        results = {
            node: {"value": round(value, 6)} for node, value in found.items() if value is not None and isfinite(value)
        }
        if results:
            document[_graph_id(graph, number)] = {
                "results": results,
                "name": _NAMES[name],
                "gradient": [{"stop": 0, "bgColor": _LIGHT}, {"stop": 1, "bgColor": _DARK[name]}],
                "thresholds": [],
            }
    return document


def _graph_id(graph: schema.SubGraphT, number: int) -> str:
    return flatbuffer.text(graph.name) or ("main" if number == 0 else f"subgraph_{number}")


def _constants(file: flatbuffer.File, graph: schema.SubGraphT, operator: schema.OperatorT) -> list[_Constant]:
    """Constants that an operator reads, also through a DEQUANTIZE; the DEQUANTIZE itself has none."""
    behind = dequantized_constants(file, graph)
    if behind.keys() & {*indices(operator.outputs)}:
        return []
    found = []
    for index in indices(operator.inputs):
        tensor = graph.tensors[behind.get(index, index)]
        raw = file.raw(tensor)
        values = None if raw is None else file.values(tensor)
        if raw is not None and values is not None and values.ndim:
            zero_points = tensor.quantization.zeroPoint if tensor.quantization is not None else None
            zero = int(zero_points[0]) if zero_points is not None and len(zero_points) else 0
            found.append(_Constant(int(raw.nbytes), int(values.size), int(np.sum(values == zero))))
    return found


def _bytes(file: flatbuffer.File, graph: schema.SubGraphT, operator: schema.OperatorT) -> float | None:
    return float(sum(constant.bytes for constant in _constants(file, graph, operator)))


def _zeros(file: flatbuffer.File, graph: schema.SubGraphT, operator: schema.OperatorT) -> float | None:
    """Of the largest constant, which is the kernel."""
    largest = max(_constants(file, graph, operator), key=lambda constant: constant.values, default=None)
    return None if largest is None or largest.values < 2 else 100 * largest.zeros / largest.values


def _error(graph: schema.SubGraphT, operator: schema.OperatorT, errors: Mapping[str, float]) -> float | None:
    known = [errors.get(flatbuffer.text(graph.tensors[index].name)) for index in indices(operator.outputs)]
    return max((error for error in known if error is not None), default=None)
