"""int4 weights of layers of an int8 file, by rules of the recipe: the converter writes int8 only.

Weights that the converter rounded to 8 bits are rounded again: their scale becomes 127/7 as large, so the first
rounding adds a thirtieth of a step. Convolutions and products compute as before, with int8 activations. A table of an
embedding is read by EMBEDDING_LOOKUP, whose rows are floats, and these become int8 as they were.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.audit.tflite import layer_of
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.quantizer.edits import look_up, reads_table
from tfopt.backend.quantizer.layer_modes import LayerModes
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite.changes import set_values
from tfopt.backend.types import Array
from tfopt.core.config.files.weight_kernels import reason_no_kernel
from tfopt.core.config.quantization_modes import MODES

_MOST = 7
"""Largest int4 value that is used: scales are symmetric."""
_MULTIPLIED: Mapping[str, tuple[int, int]] = {"CONV_2D": (1, 2), "FULLY_CONNECTED": (1, 2)}
"""Inputs that hold the weights and the bias."""
REASON = "LiteRT's EMBEDDING_LOOKUP makes floats of an int4 table"
"""Why a layer with an int4 table computes in float."""


def shrink(file: flatbuffer.File, layers: LayerModes) -> None:
    """Rounds the weights of the layers whose mode has small weights.

    Args:
        file: int8, made by the converter.
        layers: modes of layers by the rules of the recipe.
    """
    small = {layer for layer, mode in layers.modes.items() if MODES[mode].in_integer_files}
    names, done = LayerNames(layers.names, layers.aliases), dict[int, Array]()
    for graph in file.model.subgraphs:
        operators: list[schema.OperatorT] = []
        for operator in graph.operators:
            made = [operator]
            layer = layer_of(file, graph, operator, names)
            if layer in small:
                made = _shrunk(file, graph, operator, layers.modes[layer or ""], done)
            operators += made
        graph.operators = operators


def _shrunk(
    file: flatbuffer.File, graph: schema.SubGraphT, operator: schema.OperatorT, mode: str, done: dict[int, Array]
) -> list[schema.OperatorT]:
    """The operators that replace one; `done` has the scales before, by id of each tensor that is changed already."""
    name = file.operator_name(operator)
    is_table = name == "GATHER"
    if name not in _MULTIPLIED and not is_table:
        return [operator]
    if is_table and not reads_table(file, graph, operator):
        return [operator]
    position, bias = (0, -1) if is_table else _MULTIPLIED[name]
    weights = graph.tensors[operator.inputs[position]]
    reads = "EMBEDDING_LOOKUP" if is_table else name
    if reason_no_kernel(MODES[mode], reads, int(weights.shape[-1])) is not None:
        return [operator]
    if id(weights) not in done:
        if weights.type != schema.TensorType.INT8 or file.raw(weights) is None:
            return [operator]
        done[id(weights)] = _round(file, weights)
    if is_table:
        return look_up(file, graph, operator, through_float=True)
    index = int(operator.inputs[bias]) if len(operator.inputs) > bias else -1
    if index >= 0 and id(graph.tensors[index]) not in done:
        _rescale(file, graph.tensors[index], done[id(weights)], weights)
        done[id(graph.tensors[index])] = done[id(weights)]
    return [operator]


def _round(file: flatbuffer.File, tensor: schema.TensorT) -> Array:
    """Makes int8 weights int4, with a scale for each row or output channel; returns the scales before."""
    values, old = np.asarray(file.values(tensor)), np.asarray(tensor.quantization.scale, np.float64)
    zeros = np.asarray(tensor.quantization.zeroPoint, np.float64)  # a table has those of its results
    rows = (values.reshape(len(values), -1) - zeros.reshape(-1, 1)) * old.reshape(-1, 1)
    largest = np.abs(rows).max(axis=1)
    scales = np.where(largest > 0, largest, _MOST) / _MOST
    rounded = np.clip(np.round(rows / scales[:, None]), -_MOST, _MOST).astype(np.int8).reshape(-1)
    pairs = np.append(rounded, np.zeros(len(rounded) % 2, np.int8)).reshape(-1, 2) & 0x0F
    set_values(file, tensor, (pairs[:, 0] | (pairs[:, 1] << 4)).astype(np.uint8))
    tensor.type = schema.TensorType.INT4
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale = scales.astype(np.float32)
    tensor.quantization.zeroPoint = np.zeros(len(scales), np.int64)
    tensor.quantization.quantizedDimension = 0
    return np.broadcast_to(old, scales.shape)


def _rescale(file: flatbuffer.File, bias: schema.TensorT, before: Array, weights: schema.TensorT) -> None:
    """Gives a bias the scale of the products with the new weights."""
    values = file.values(bias)
    if values is None or bias.quantization is None:
        return
    ratio = np.asarray(weights.quantization.scale, np.float64) / before
    old = np.broadcast_to(np.asarray(bias.quantization.scale, np.float64), ratio.shape)
    set_values(file, bias, np.round(values / ratio).astype(values.dtype))
    bias.quantization = copy.deepcopy(bias.quantization)
    bias.quantization.scale = (old * ratio).astype(np.float32)
    bias.quantization.zeroPoint = np.zeros(len(ratio), np.int64)
    bias.quantization.quantizedDimension = 0
