"""What a `.tflite` file contains, measured from its bytes and never from the recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.audit.layer_sizes import layer_sizes
from tfopt.backend.audit.sizes import entropy_bytes
from tfopt.backend.audit.tensor_values import (
    most_distinct,
    numbers,
    quantization_scales,
    sparse_block,
    stored_bytes,
    stored_values,
    stored_zero,
)
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.types import Array
from tfopt.core.claims.recurrent import FUSED_LSTM
from tfopt.core.records.report import AuditRecord, PortRecord, TensorRecord

Role = Literal["weight", "bias", "constant"]

_FLOATS = frozenset({"float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"})
_CONVERSIONS = frozenset({"QUANTIZE", "DEQUANTIZE"})
_TRANSPARENT = frozenset({"DEQUANTIZE", "DENSIFY"})
_CALLED_GRAPHS = ("condSubgraphIndex", "bodySubgraphIndex", "thenSubgraphIndex", "elseSubgraphIndex")
_LSTM: dict[int, Role] = {**dict.fromkeys([*range(1, 9), 16], "weight"), **dict.fromkeys([*range(12, 16), 17], "bias")}
_SECOND_AND_THIRD: dict[int, Role] = {1: "weight", 2: "bias"}
_RECURRENT: dict[int, Role] = {1: "weight", 2: "weight", 3: "bias"}
_ROLES: dict[str, dict[int, Role]] = {
    "CONV_2D": _SECOND_AND_THIRD,
    "DEPTHWISE_CONV_2D": _SECOND_AND_THIRD,
    "FULLY_CONNECTED": _SECOND_AND_THIRD,
    "CONV_3D": _SECOND_AND_THIRD,
    "TRANSPOSE_CONV": {1: "weight", 3: "bias"},
    "CONV_3D_TRANSPOSE": {1: "weight", 3: "bias"},
    "EMBEDDING_LOOKUP": {1: "weight"},
    "GATHER": {0: "weight"},
    "BATCH_MATMUL": {0: "weight", 1: "weight"},
    "LSTM": _LSTM,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _LSTM,
    "RNN": _RECURRENT,
    "UNIDIRECTIONAL_SEQUENCE_RNN": _RECURRENT,
    "SVDF": _RECURRENT,
}
"""Inputs of an operator that hold its kernel, filter or table, and its bias; all other constants are `constant`."""


_CHANNEL_AXES = {"DEPTHWISE_CONV_2D": 3, "CONV_3D": 4, "CONV_3D_TRANSPOSE": 3, "GATHER": -1}
"""Axis of a weight that counts its output channels, where it is not the first; of EMBEDDING_LOOKUP, whose tables have a
scale for each row, its rows."""

_ROTATION = "_hadamard_matrix"
"""Ends the name of a matrix that litert-quantizer adds: no weight of the model."""


@dataclass
class _Use:
    """Role, layers, channel axis and operator of one tensor with data."""

    role: Role = "constant"
    layers: list[str] = field(default_factory=list)
    axis: int = 0
    operator: str = ""
    activations: str = ""


def audit_tflite(
    path: Path | str,
    layer_names: Sequence[str] = (),
    aliases: Mapping[str, str] | None = None,
    lstms: Sequence[str] = (),
) -> AuditRecord:
    """Audits a `.tflite` file without running it.

    Args:
        path: the file.
        layer_names: Keras names of the layers of the model it came from; without them no tensor has a layer.
        aliases: name of a layer by the name of each layer that quantization-aware training computes it by; see
            `tfopt.backend.quantization.canonical.Canonical.original_names`.
        lstms: as in `LayerNames`; without them, a fused LSTM whose name the converter dropped has no layer.

    Returns:
        Ports, operators and tensors of all subgraphs.

    Raises:
        ExportError: the file cannot be read or is malformed.
    """
    path = Path(path)
    file = flatbuffer.read(path)
    try:
        return _audit(file, LayerNames(layer_names, aliases, lstms), path.stat().st_size)
    except flatbuffer.MALFORMED as error:
        raise flatbuffer.malformed(path, error) from error


def _audit(file: flatbuffer.File, names: LayerNames, size: int) -> AuditRecord:
    operators: Counter[str] = Counter()
    floats: Counter[str] = Counter()
    float_layers: dict[str, None] = {}
    untraced: Counter[str] = Counter()
    callers = calling_layers(file, names)
    called_from_outside = graphs_called_from_outside(file)
    tensors: list[TensorRecord] = []
    activations: Counter[str] = Counter()
    inner: Counter[str] = Counter()
    zeros = weights = 0
    seen_buffers: set[int] = set()
    for position, graph in enumerate(file.model.subgraphs):
        for operator in graph.operators:
            name = file.operator_name(operator)
            operators[name] += 1
            at_border = position in called_from_outside and is_border(graph, operator)
            if name in _CONVERSIONS and not at_border and _converts_computed_floats(file, graph, operator):
                inner[name] += 1
            if name not in _CONVERSIONS and touches_float(graph, operator):
                floats[name] += 1
                if (layer := layer_of(file, graph, operator, names) or callers.get(position)) is not None:
                    float_layers[layer] = None
                else:
                    untraced[name] += 1
        uses = _uses(file, graph, names)
        for index, tensor in enumerate(graph.tensors):
            values = file.values(tensor)
            if values is None:
                activations[flatbuffer.DTYPES[tensor.type]] += 1
                continue
            first = tensor.buffer not in seen_buffers
            seen_buffers.add(tensor.buffer)
            record = _tensor(file, graph, tensor, values, uses[index], names, stored=first)
            tensors.append(record)
            if record.role == "weight" and first:
                zeros += round(record.sparsity * values.size)
                weights += values.size
    inputs, outputs, signatures = _ports(file)
    return AuditRecord(
        inputs=inputs,
        outputs=outputs,
        operators=dict(sorted(operators.items())),
        float_operators=dict(sorted(floats.items())),
        float_layers=list(float_layers),
        untraced_float_operators=dict(sorted(untraced.items())),
        sparsity=zeros / weights if weights else 0.0,
        tensors=tensors,
        signatures=signatures,
        activations=dict(sorted(activations.items())),
        inner_conversions=dict(sorted(inner.items())),
        entropy_bytes=sum(tensor.entropy_bytes or 0 for tensor in tensors),
        sparse_bytes=sum(sparse) if (sparse := [each.bytes for each in tensors if each.sparse_encoding]) else None,
        layer_sizes=layer_sizes(tensors, size),
    )


def calling_layers(file: flatbuffer.File, names: LayerNames) -> dict[int, str]:
    """The Keras layer of each graph that a loop or a branch runs: in it, the converter drops the names of layers."""
    callers: dict[int, str] = {}
    for position, graph in enumerate(file.model.subgraphs):
        for operator in graph.operators:
            layer = layer_of(file, graph, operator, names) or callers.get(position)
            called = [getattr(operator.builtinOptions, name, None) for name in _CALLED_GRAPHS]
            if layer is not None:
                callers |= {index: layer for index in called if index is not None}
    return callers


def indices(values: Iterable[int] | None) -> list[int]:
    """Tensor positions of an operator or graph without the -1 of absent optional ones."""
    return [int(index) for index in (values if values is not None else ()) if index >= 0]


def touches_float(graph: schema.SubGraphT, operator: schema.OperatorT) -> bool:
    used = indices(operator.inputs) + indices(operator.outputs)
    return any(flatbuffer.DTYPES[graph.tensors[index].type] in _FLOATS for index in used)


def is_conversion(operator: str) -> bool:
    """Whether an operator only changes the dtype of values."""
    return operator in _CONVERSIONS


def is_border(graph: schema.SubGraphT, operator: schema.OperatorT) -> bool:
    """Whether an operator reads an input of its graph or writes an output of it."""
    reads, writes = indices(operator.inputs), indices(operator.outputs)
    return bool({*reads} & {*indices(graph.inputs)} or {*writes} & {*indices(graph.outputs)})


def graphs_called_from_outside(file: flatbuffer.File) -> set[int]:
    """Positions of the graphs that are no body of a loop or branch: the first, and those of signatures."""
    return {0, *(int(signature.subgraphIndex) for signature in file.model.signatureDefs or ())}


def _converts_computed_floats(file: flatbuffer.File, graph: schema.SubGraphT, operator: schema.OperatorT) -> bool:
    """Whether a QUANTIZE or DEQUANTIZE takes or makes float values; not from stored weights, as in a float16 file."""
    computed = file.raw(graph.tensors[indices(operator.inputs)[0]]) is None
    return computed and touches_float(graph, operator)


def layer_of(
    file: flatbuffer.File,
    graph: schema.SubGraphT,
    operator: schema.OperatorT,
    names: LayerNames,
    *,
    by_what_it_reads: bool = True,
) -> str | None:
    """The Keras layer of an operator.

    By the kernel that its outputs or weights are named after, where it has one; else by the first name that belongs to
    a layer: of an output (the model's last has none of its own), of a constant, of what it reads. A fused LSTM is never
    a part of the layer that it reads: where nothing is named after it, the order of the LSTMs says which it is.
    """
    is_lstm = file.operator_name(operator) == FUSED_LSTM
    roles = _ROLES.get(file.operator_name(operator), {})
    inputs, outputs = indices(operator.inputs), indices(operator.outputs)
    weights = [index for position, index in enumerate(inputs) if roles.get(position) == "weight"]
    for index in [*outputs, *weights] if roles else []:
        if (layer := names.of_kernel(flatbuffer.text(graph.tensors[index].name))) is not None:
            return layer
    for index in [*outputs, *inputs[1:], *(inputs[:1] if by_what_it_reads and not is_lstm else ())]:
        if (layer := names.of(flatbuffer.text(graph.tensors[index].name))) is not None:
            return layer
    return _lstm(file, operator, names) if is_lstm else None


def _lstm(file: flatbuffer.File, operator: schema.OperatorT, names: LayerNames) -> str | None:
    """The layer of a fused LSTM, where the file has as many as the model."""
    fused = [one for graph in file.model.subgraphs for one in graph.operators if file.operator_name(one) == FUSED_LSTM]
    at = next(position for position, one in enumerate(fused) if one is operator)
    return names.lstms[at] if len(fused) == len(names.lstms) else None


def _uses(file: flatbuffer.File, graph: schema.SubGraphT, names: LayerNames) -> list[_Use]:
    """For each tensor of a graph its role and the layers that read it; DEQUANTIZE and DENSIFY are looked through."""
    uses = [_Use() for _ in graph.tensors]
    for operator in reversed(graph.operators):
        name = file.operator_name(operator)
        inputs, outputs = indices(operator.inputs), indices(operator.outputs)
        if name in _TRANSPARENT:
            uses[inputs[0]] = _merged(uses[inputs[0]], uses[outputs[0]])
            continue
        roles = _ROLES.get(name, {})
        # A kernel without a name, such as that of a grouped convolution, is none of the layer before.
        layer = layer_of(file, graph, operator, names, by_what_it_reads=not roles)
        computes_in = flatbuffer.DTYPES[graph.tensors[outputs[0]].type] if outputs else ""
        for position, index in enumerate(operator.inputs if operator.inputs is not None else ()):
            if index >= 0:
                role = roles.get(position, "constant")
                axis = _CHANNEL_AXES.get(name, 0)
                if flatbuffer.text(graph.tensors[index].name).endswith(_ROTATION):
                    role = "constant"
                reader = (name, computes_in) if role != "constant" else ("", "")
                uses[index] = _merged(uses[index], _Use(role, [layer] if layer else [], axis, *reader))
    return uses


def _merged(one: _Use, other: _Use) -> _Use:
    strength: list[Role] = ["constant", "bias", "weight"]
    role = max(one.role, other.role, key=strength.index)
    strongest = one if one.role == role and (one.operator or other.role != role) else other
    return _Use(role, other.layers + one.layers, strongest.axis, strongest.operator, strongest.activations)


def _tensor(
    file: flatbuffer.File,
    graph: schema.SubGraphT,
    tensor: schema.TensorT,
    values: Array,
    use: _Use,
    names: LayerNames,
    stored: bool,
) -> TensorRecord:
    quantization = tensor.quantization
    scales = quantization_scales(tensor)
    zero_points = numbers(quantization.zeroPoint if quantization is not None else None).astype(np.int64)
    per_channel = scales.size > 1
    axis = int(quantization.quantizedDimension) if per_channel else 0
    if per_channel and values.shape[axis] != scales.size:
        raise ValueError(f"{scales.size} scales for {values.shape[axis]} channels of {flatbuffer.text(tensor.name)}")
    blocks = flatbuffer.blocks(file, graph, tensor)
    real = values if blocks is None else values * blocks.spread(values.shape)
    kind: Literal["none", "per-tensor", "per-channel", "per-block"] = "none"
    if scales.size or blocks is not None:
        kind = "per-block" if blocks is not None else "per-channel" if per_channel else "per-tensor"
    name = flatbuffer.text(tensor.name)
    read_by = next(iter(use.layers), None)
    return TensorRecord(
        name=name,
        layer=(names.of_kernel(name) or read_by or names.of(name))
        if use.role != "constant"
        else (names.of(name) or read_by),
        dtype=flatbuffer.DTYPES[tensor.type],
        shape=[int(size) for size in values.shape],
        bytes=stored_bytes(file, tensor) if stored else 0,
        sparsity=float(np.mean(values == stored_zero(zero_points, values.ndim, axis))) if values.size else 0.0,
        unique=most_distinct(real, axis) if per_channel or blocks is not None else int(np.unique(values).size),
        quantization=kind,
        scales=int(np.unique(scales if blocks is None else blocks.scales).size),
        role=use.role,
        unique_per_channel=most_distinct(real, use.axis) if use.role == "weight" and values.size else None,
        sparse_encoding=tensor.sparsity is not None,
        entropy_bytes=entropy_bytes(values) if stored else 0,
        stored_values=stored_values(file, tensor),
        sparse_block=sparse_block(tensor),
        operator=use.operator,
        activations=use.activations,
        block=0 if blocks is None else blocks.size,
    )


def _ports(file: flatbuffer.File) -> tuple[list[PortRecord], list[PortRecord], list[str]]:
    """Inputs and outputs under their signature names, and the signatures' keys."""
    signatures = file.model.signatureDefs or []
    graph_index = signatures[0].subgraphIndex if signatures else 0
    graph = file.model.subgraphs[graph_index]
    of_graph = [signature for signature in signatures if signature.subgraphIndex == graph_index]
    named_inputs = {int(m.tensorIndex): flatbuffer.text(m.name) for s in of_graph[:1] for m in s.inputs or []}
    named_outputs = {int(m.tensorIndex): flatbuffer.text(m.name) for s in of_graph[:1] for m in s.outputs or []}
    keys = [flatbuffer.text(signature.signatureKey) for signature in signatures]
    return _side(graph, graph.inputs, named_inputs), _side(graph, graph.outputs, named_outputs), keys


def _side(graph: schema.SubGraphT, ports: Iterable[int], named: dict[int, str]) -> list[PortRecord]:
    return [_port(graph.tensors[index], named.get(index)) for index in indices(ports)]


def _port(tensor: schema.TensorT, name: str | None) -> PortRecord:
    quantization = tensor.quantization
    scales = quantization_scales(tensor)
    zero_points = numbers(quantization.zeroPoint if quantization is not None else None)
    shape = tensor.shapeSignature if tensor.shapeSignature is not None else tensor.shape
    return PortRecord(
        name=name or flatbuffer.text(tensor.name),
        dtype=flatbuffer.DTYPES[tensor.type],
        shape=[int(size) for size in (shape if shape is not None else ())],
        scale=float(scales[0]) if scales.size else 0.0,
        zero_point=int(zero_points[0]) if zero_points.size else 0,
    )
