"""Finds in a float file the values that the quantized constants of another file were rounded from."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.audit.tflite import indices
from tfopt.backend.explain.float_operators import dequantized_constants, is_quantized, real_values
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.types import Array

_FARTHEST = 0.6
"""Norm of the rounding over that of the weights, beyond which two constants are different weights: int2 rounds a normal
distribution by about a half, int4 by a tenth, int8 by a hundredth."""


def float_weights(file: flatbuffer.File, twin: flatbuffer.File) -> dict[int, Array]:
    """Float values of the quantized constants of the first graph, by position of the tensor.

    Constants are matched by shape and value, not by name: of the constants of the other file, the one that the values
    are nearest to.

    Args:
        file: with quantized weights.
        twin: of the same weights in float.

    Returns:
        What was found; constants without a match are left out.
    """
    graph = file.model.subgraphs[0]
    constants = {*dequantized_constants(file, graph).values()}
    candidates: dict[tuple[int, ...], list[Array]] = {}
    for other in twin.model.subgraphs:
        for tensor in other.tensors:
            values = real_values(twin, other, tensor) if _is_real(tensor) else None
            if values is not None:
                candidates.setdefault(values.shape, []).append(values)
    found: dict[int, Array] = {}
    for index in sorted({index for operator in graph.operators for index in indices(operator.inputs)}):
        tensor = graph.tensors[index]
        if (is_quantized(tensor) or index in constants) and file.raw(tensor) is not None:
            nearest = _nearest(real_values(file, graph, tensor), candidates)
            if nearest is not None:
                found[index] = nearest
    return found


def _is_real(tensor: schema.TensorT) -> bool:
    return is_quantized(tensor) or flatbuffer.DTYPES[tensor.type].startswith("float")


def _nearest(rounded: Array | None, candidates: dict[tuple[int, ...], list[Array]]) -> Array | None:
    fitting = [] if rounded is None else candidates.get(rounded.shape, [])
    distances = [_distance(rounded, values) for values in fitting if rounded is not None]
    best = int(np.argmin(distances)) if distances else -1
    return fitting[best] if best >= 0 and distances[best] <= _FARTHEST else None


def _distance(rounded: Array, values: Array) -> float:
    length = float(np.linalg.norm(values))
    error = float(np.linalg.norm(rounded - values))
    return error / length if length else (0.0 if error == 0 else np.inf)
