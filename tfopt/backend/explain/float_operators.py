"""Rewrites a `.tflite` file so that some of its quantized operators compute in float.

This is what a rule `quantize: none` makes of a layer, without a conversion: values are dequantized where they enter the
operators and quantized again where they leave them; between two such operators nothing is rounded. So the effect of
each layer can be measured in the file itself, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from tfopt.backend.audit.tflite import indices
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.types import Array

_CODES = {"QUANTIZE": schema.BuiltinOperator.QUANTIZE, "DEQUANTIZE": schema.BuiltinOperator.DEQUANTIZE}
_VERSIONS = {"QUANTIZE": 2, "DEQUANTIZE": 3}
_NEVER = frozenset(
    {"WHILE", "IF", "CALL", "CALL_ONCE", "CUSTOM", "LSTM", "RNN", "SVDF"}
    | {"UNIDIRECTIONAL_SEQUENCE_LSTM", "UNIDIRECTIONAL_SEQUENCE_RNN"}
    | {"BIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_RNN"}
)
"""Operators that run other graphs, or keep quantized states or inner scales of their own."""


def can_be_float(file: flatbuffer.File, graph: schema.SubGraphT, operator: schema.OperatorT) -> bool:
    """Whether an operator computes with quantized values and can be rewritten; conversions follow their neighbours."""
    if file.operator_name(operator) in {*_CODES, *_NEVER}:
        return False
    constants = dequantized_constants(file, graph)
    used = [*indices(operator.inputs), *indices(operator.outputs)]
    return any(is_quantized(graph.tensors[index]) or index in constants for index in used)


def is_quantized(tensor: schema.TensorT) -> bool:
    """Whether integers of a tensor stand for real numbers."""
    quantization = tensor.quantization
    if quantization is None or "int" not in flatbuffer.DTYPES[tensor.type]:
        return False
    return _in_blocks(tensor) or (quantization.scale is not None and len(quantization.scale) > 0)


def dequantized_constants(file: flatbuffer.File, graph: schema.SubGraphT) -> dict[int, int]:
    """The constant behind each tensor that a DEQUANTIZE makes of one: float16 files and files of weights only."""
    found = {}
    for operator in graph.operators:
        if file.operator_name(operator) == "DEQUANTIZE":
            source, target = indices(operator.inputs)[0], indices(operator.outputs)[0]
            if file.raw(graph.tensors[source]) is not None:
                found[target] = source
    return found


def _in_blocks(tensor: schema.TensorT) -> bool:
    quantization = tensor.quantization
    return quantization is not None and (quantization.detailsType == schema.QuantizationDetails.BlockwiseQuantization)


def real_values(file: flatbuffer.File, graph: schema.SubGraphT, tensor: schema.TensorT) -> Array | None:
    """The real numbers that a constant stands for, as float32; None where a tensor holds none."""
    values = file.values(tensor)
    if values is None:
        return None
    if not is_quantized(tensor):
        return values.astype(np.float32)
    blocks = flatbuffer.blocks(file, graph, tensor)
    if blocks is not None:
        of_blocks: Array = values.astype(np.float32) * blocks.spread(values.shape)
        return of_blocks
    quantization = tensor.quantization
    scales = np.asarray(quantization.scale, np.float32)
    zero_points = np.asarray(quantization.zeroPoint if quantization.zeroPoint is not None else [0], np.float32)
    if scales.size > 1:
        axis = int(quantization.quantizedDimension)
        shape = [-1 if dimension == axis else 1 for dimension in range(values.ndim)]
        scales = scales.reshape(shape)
        zero_points = zero_points.reshape(shape) if zero_points.size > 1 else zero_points
    real: Array = (values.astype(np.float32) - zero_points) * scales
    return real


def in_float(content: bytes, positions: Collection[int], weights: Mapping[int, Array]) -> bytes:
    """The bytes of a file in which some operators of the first graph compute in float.

    Args:
        content: bytes of the file.
        positions: of the operators; of those for which `can_be_float` holds.
        weights: float values of quantized constants, by position of the tensor; others keep the values that they have
            in the file.
    """
    file = flatbuffer.parse(content)
    rewriter = _Rewriter(file, {*positions}, weights)
    rewriter.rewrite()
    return flatbuffer.serialize(file)


class _Rewriter:
    """The first graph of a file while it is rewritten."""

    def __init__(self, file: flatbuffer.File, positions: set[int], weights: Mapping[int, Array]) -> None:
        self.file, self.weights = file, weights
        self.graph = file.model.subgraphs[0]
        self.constants = dequantized_constants(file, self.graph)
        self.outputs = {*indices(self.graph.outputs)}
        self.readers: dict[int, list[int]] = {}
        self.makers: dict[int, int] = {}
        for position, operator in enumerate(self.graph.operators):
            for index in indices(operator.inputs):
                self.readers.setdefault(index, []).append(position)
            self.makers |= dict.fromkeys(indices(operator.outputs), position)
        self.floats = self._with_conversions(positions)
        self.float_of: dict[int, int] = {}
        self.operators: list[schema.OperatorT] = []

    def _with_conversions(self, positions: set[int]) -> set[int]:
        """Adds the conversions that only stand between operators that compute in float."""
        floats = {*positions}
        operators = list(enumerate(self.graph.operators))
        for position, operator in reversed(operators):
            if self.file.operator_name(operator) == "QUANTIZE":
                target = indices(operator.outputs)[0]
                read = self.readers.get(target, [])
                if read and target not in self.outputs and floats.issuperset(read):
                    floats.add(position)
        for position, operator in operators:
            follows = self.makers.get(next(iter(indices(operator.inputs)), -1)) in floats
            if follows and self.file.operator_name(operator) == "DEQUANTIZE":
                floats.add(position)
        return floats

    def rewrite(self) -> None:
        """Replaces the operators of the graph."""
        for position, operator in enumerate(self.graph.operators):
            operator.inputs = [self._alias(int(index)) for index in operator.inputs]
            if position not in self.floats:
                self.operators.append(operator)
            elif self.file.operator_name(operator) in _CODES:
                self._skip(operator)
            else:
                self._compute(operator)
        self.graph.operators = [*self._useful(self.operators)]
        self._drop_unused()

    def _alias(self, index: int) -> int:
        """A float tensor in place of what a DEQUANTIZE that is no longer there would have made."""
        replaced = index in self.float_of and not is_quantized(self.graph.tensors[index])
        return self.float_of[index] if replaced else index

    def _skip(self, operator: schema.OperatorT) -> None:
        source, target = indices(operator.inputs)[0], indices(operator.outputs)[0]
        real = self._read(source)
        self.float_of[target] = real
        if target in self.outputs:  # a DEQUANTIZE: its output is the one of the graph, by name and position
            tensors = self.graph.tensors
            tensors[real].name, tensors[target].name = tensors[target].name, tensors[real].name
            self.graph.outputs = [real if index == target else int(index) for index in self.graph.outputs]
            for signature in self.file.model.signatureDefs or []:
                for port in signature.outputs or []:
                    if signature.subgraphIndex == 0 and port.tensorIndex == target:
                        port.tensorIndex = real

    def _compute(self, operator: schema.OperatorT) -> None:
        operator.inputs = [self._read(int(index)) for index in operator.inputs]
        after = []
        for place, index in enumerate(indices(operator.outputs)):
            if not is_quantized(self.graph.tensors[index]):
                continue
            real = self._new_tensor(index, None)
            self.float_of[index] = real
            operator.outputs[place] = real
            if index in self.outputs or not self.floats.issuperset(self.readers.get(index, [])):
                after.append(self._conversion("QUANTIZE", real, index))
        self.operators += [operator, *after]

    def _read(self, index: int) -> int:
        """The float version of what an operator reads."""
        if index < 0:
            return index
        if index not in self.float_of:
            tensor = self.graph.tensors[index]
            constant = self.constants.get(index, index)
            values = self._values(constant) if constant != index or is_quantized(tensor) else None
            if values is not None:
                self.float_of[index] = self._new_tensor(index, values)
            elif is_quantized(tensor):
                self.float_of[index] = self._new_tensor(index, None)
                self.operators.append(self._conversion("DEQUANTIZE", index, self.float_of[index]))
            else:
                return index
        return self.float_of[index]

    def _values(self, index: int) -> Array | None:
        known = self.weights.get(index)
        return real_values(self.file, self.graph, self.graph.tensors[index]) if known is None else known

    def _new_tensor(self, like: int, values: Array | None) -> int:
        old, new = self.graph.tensors[like], schema.TensorT()
        new.name = f"{flatbuffer.text(old.name)};float".encode()
        new.type, new.shape, new.shapeSignature = schema.TensorType.FLOAT32, old.shape, old.shapeSignature
        new.hasRank, new.buffer = old.hasRank, 0
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(values, np.float32).tobytes(), np.uint8)
            new.buffer = len(self.file.model.buffers)
            self.file.model.buffers.append(buffer)
        self.graph.tensors.append(new)
        return len(self.graph.tensors) - 1

    def _conversion(self, name: str, source: int, target: int) -> schema.OperatorT:
        made, codes = schema.OperatorT(), self.file.model.operatorCodes
        known = [flatbuffer_utils.get_builtin_code_from_operator_code(code) for code in codes]
        found = [
            place
            for place, code in enumerate(known)
            if code == _CODES[name] and codes[place].version >= _VERSIONS[name]
        ]
        if not found:
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = _CODES[name]
            code.version = _VERSIONS[name]
            codes.append(code)
            found = [len(codes) - 1]
        made.opcodeIndex, made.inputs, made.outputs = found[0], [source], [target]
        return made

    def _useful(self, operators: list[schema.OperatorT]) -> Iterator[schema.OperatorT]:
        """Without conversions whose result nobody reads."""
        read = {index for operator in operators for index in indices(operator.inputs)} | {*indices(self.graph.outputs)}
        for operator in operators:
            if self.file.operator_name(operator) not in _CODES or read & {*indices(operator.outputs)}:
                yield operator

    def _drop_unused(self) -> None:
        """Removes tensors and data that nothing reads or writes any more, so that the file has its true size."""
        graph, model = self.graph, self.file.model
        used = {*indices(graph.inputs), *indices(graph.outputs)}
        for operator in graph.operators:
            used |= {*indices(operator.inputs), *indices(operator.outputs), *indices(operator.intermediates)}
        used |= {
            int(graph.tensors[index].quantization.details.scales) for index in used if _in_blocks(graph.tensors[index])
        }
        kept = sorted(used)
        moved = {-1: -1} | {index: place for place, index in enumerate(kept)}
        for owner in (graph, *graph.operators):
            for side in ("inputs", "outputs", "intermediates"):
                if getattr(owner, side, None) is not None:
                    setattr(owner, side, [moved[int(index)] for index in getattr(owner, side)])
        for signature in model.signatureDefs or []:
            for port in [*(signature.inputs or []), *(signature.outputs or [])] if signature.subgraphIndex == 0 else []:
                port.tensorIndex = moved[int(port.tensorIndex)]
        graph.tensors = [graph.tensors[index] for index in kept]
        for tensor in graph.tensors:
            if _in_blocks(tensor):
                tensor.quantization.details.scales = moved[int(tensor.quantization.details.scales)]
        buffers = {int(tensor.buffer) for one in model.subgraphs for tensor in one.tensors}
        buffers |= {int(metadata.buffer) for metadata in model.metadata or []}
        for number in {*range(1, len(model.buffers))} - buffers:
            model.buffers[number].data = None
