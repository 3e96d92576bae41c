"""Corrects what the converter gives to TFLite's int8 LSTM operator: without that, its results can be wrong.

Three faults, measured with TensorFlow 2.21 on both kinds of kernels:

- The operator keeps its state between calls, and calibration does not reset it: from the second example on, all ranges
  are of sequences that begin in the middle.
- The cell state gets the range that it has at the end of the sequence, as calibration sees no step between; larger
  values are cut off on the way. And below a range of 1 the kernel does not compute the state's tanh at all: it has no
  case for a scale smaller than 2^-15, and every result is the greatest int8 (stacked LSTMs).
- The state has a scale of its own where the operator after it, such as CONCATENATION, sets the scale of the result.
  But the kernel writes the result in the scale of the state: wrong by a factor (14 % for Bidirectional).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfopt.backend.audit.tflite import indices
from tfopt.backend.export.integers.loops import variable_of
from tfopt.backend.quantization.lstm.integer import CELL_MARGIN, CELL_SCALES
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite.one_scale import ONE_SCALE
from tfopt.backend.types import Array

Range: TypeAlias = tuple[float, float]
"""Lowest and highest value."""
OPERATOR = "UNIDIRECTIONAL_SEQUENCE_LSTM"
_STATE, _CELL, _HIDDEN = 18, 19, 4
"""Inputs that hold the state and the cell state; the intermediate tensor that holds the result of a step."""
_WIDER, _LEAST, _MOST = 4, *CELL_SCALES
"""How much wider the range of the cell becomes, and the limits of its scale."""


def is_in(file: flatbuffer.File) -> bool:
    """Whether a file has an LSTM operator."""
    return any(True for _ in _operators(file))


def measure_ranges(
    file: flatbuffer.File,
    examples: Iterable[Mapping[str, Array]],
    learned: Mapping[str, Range] = MappingProxyType({}),
    cells: Mapping[str, Range] = MappingProxyType({}),
) -> None:
    """Replaces the calibrated ranges of the outermost graph by those of examples that each begin without a state.

    Args:
        file: calibrated, with float tensors.
        examples: inputs by name of the signature.
        learned: range of the state in training, by name of an operator's result (`learned_ranges`).
        cells: range of the cell in training, by name of an operator's result.
    """
    graph = file.model.subgraphs[0]
    ports = {flatbuffer.text(port.name): port.tensorIndex for port in file.model.signatureDefs[0].inputs}
    within = {int(index) for operator in graph.operators for index in indices(operator.intermediates)}
    ranged = [
        index
        for index, tensor in enumerate(graph.tensors)
        if tensor.quantization is not None and tensor.quantization.min is not None and index not in within
    ]
    interpreter = Interpreter(
        model_content=flatbuffer.serialize(file),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    lows, highs = np.full(len(ranged), np.inf), np.full(len(ranged), -np.inf)
    for example in examples:
        interpreter.reset_all_variables()
        for name, values in example.items():
            interpreter.set_tensor(ports[name], values)
        interpreter.invoke()
        for at, index in enumerate(ranged):
            values = interpreter.get_tensor(index)
            lows[at], highs[at] = min(lows[at], values.min()), max(highs[at], values.max())
    for at, index in enumerate(ranged):
        lows[at], highs[at] = learned.get(flatbuffer.text(graph.tensors[index].name), (lows[at], highs[at]))
        _set_range(graph.tensors[index], lows[at], highs[at])
    passed_on = {index for index in ranged if flatbuffer.text(graph.tensors[index].name) in learned}
    for operator in graph.operators:
        moves = file.operator_name(operator) in ONE_SCALE
        if moves and operator.inputs[0] in passed_on and operator.outputs[0] in ranged:
            # Else the converter gives the LSTM the range of what is taken of its result.
            at, result = ranged.index(operator.inputs[0]), operator.outputs[0]
            lows[ranged.index(result)], highs[ranged.index(result)] = lows[at], highs[at]
            _set_range(graph.tensors[result], lows[at], highs[at])
            passed_on.add(result)
        if file.operator_name(operator) == OPERATOR:
            at = ranged.index(operator.outputs[0])
            _set_range(graph.tensors[operator.intermediates[_HIDDEN]], lows[at], highs[at])
            if operator.outputs[0] in passed_on and operator.inputs[_STATE] in ranged:
                _set_range(graph.tensors[operator.inputs[_STATE]], lows[at], highs[at])
            cell = cells.get(flatbuffer.text(graph.tensors[operator.outputs[0]].name))
            if cell is not None:
                # It is of all steps, so that the margin of `correct_scales` can be smaller.
                _set_range(graph.tensors[operator.inputs[_CELL]], *(CELL_MARGIN / _WIDER * end for end in cell))


def name_results(file: flatbuffer.File, variables: Mapping[str, Array]) -> None:
    """Names the result of each float LSTM operator after the variable that its kernel is part of."""
    for number, (result, owner) in enumerate(_results(file, variables)):
        if owner is not None:
            result.name = f"model/{owner}/lstm{number}"


def learned_ranges(
    file: flatbuffer.File, variables: Mapping[str, Array], ranges: Mapping[str, Range]
) -> dict[str, Range]:
    """The range of each operator's state that training learned, by name of the operator's result.

    Args:
        file: with float tensors.
        variables: values by name, such as `lstm/lstm_cell/kernel`.
        ranges: of the state or of the cell, by name of the layer, such as `lstm`.
    """
    owners = {flatbuffer.text(result.name): owner for result, owner in _results(file, variables) if owner}
    layers = {name: owner.rsplit("/", 2)[0] for name, owner in owners.items()}
    return {name: ranges[layer] for name, layer in layers.items() if layer in ranges}


def _results(file: flatbuffer.File, variables: Mapping[str, Array]) -> Iterator[tuple[schema.TensorT, str | None]]:
    """The result of each operator, and the variable that its kernel is part of."""
    for graph, operator in _operators(file):
        kernels = (graph.tensors[index] for index in indices(operator.inputs)[1:])
        owner = next((name for tensor in kernels if (name := variable_of(file, tensor, variables))), None)
        yield graph.tensors[operator.outputs[0]], owner


def _set_range(tensor: schema.TensorT, low: float, high: float) -> None:
    tensor.quantization.min, tensor.quantization.max = np.array([low], np.float32), np.array([high], np.float32)


def correct_scales(file: flatbuffer.File) -> None:
    """Gives the cell of each int8 LSTM operator a range with a margin, and its state the scale of its result."""
    for graph, operator in _operators(file):
        if graph.tensors[operator.outputs[0]].type != schema.TensorType.INT8:
            continue
        result, cell = graph.tensors[operator.outputs[0]], graph.tensors[operator.inputs[_CELL]]
        for tensor in (graph.tensors[operator.inputs[_STATE]], graph.tensors[operator.intermediates[_HIDDEN]]):
            tensor.quantization = copy.deepcopy(result.quantization)
        scale = min(max(float(cell.quantization.scale[0]) * _WIDER, _LEAST), _MOST)
        cell.quantization.scale = np.array([scale], np.float32)


def _operators(file: flatbuffer.File) -> Iterator[tuple[schema.SubGraphT, schema.OperatorT]]:
    for graph in file.model.subgraphs:
        for operator in graph.operators:
            if file.operator_name(operator) == OPERATOR:
                yield graph, operator
