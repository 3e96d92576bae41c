"""Where the kernels of LiteRT part: each operator of a file alone, on the same inputs, on every kind of kernels.

Comparing whole files cannot tell a wrong kernel from rounding that adds up over the layers: each operator may round one
step up where another kernel rounds down. With equal inputs, right kernels differ by a step or two, a wrong one by more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools import flatbuffer_utils

from tfopt.backend.tflite import child_process, flatbuffer
from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.types import Array

_EXAMPLES = 4
_STEPS_OF_FLOATS = 255
"""A float result has no step; a share of its range counts as one."""


@dataclass(frozen=True)
class OperatorDifference:
    """How far the kernels of one operator are apart.

    Args:
        operator: TFLite's name of it.
        dtype: of its result.
        tensor: name of its result.
        to_default: by kernels, largest difference to LiteRT's default (XNNPACK), in steps of the result's scale.
        others: largest difference between the built-in and the reference kernels, in steps.
    """

    operator: str
    dtype: str
    tensor: str
    to_default: Mapping[str, float]
    others: float


def operator_differences(path: Path, inputs: Mapping[str, Path]) -> list[OperatorDifference]:
    """Runs each operator of a file alone, in a child process.

    Args:
        path: a `.tflite` file that runs.
        inputs: .npy file of (examples, ...) real values per input name; the first few are used.

    Returns:
        In the order of the file, operators that have a kernel of at least two kinds. Those of loops and branches are
        compared as one.

    Raises:
        ProcessCrashed: LiteRT crashed.
        ProcessFailed: LiteRT refused the file.
    """
    found = child_process.call(
        "tfopt.backend.tflite.kernel_differences:compare_operators",
        {"path": str(path), "inputs": {name: str(file) for name, file in inputs.items()}},
    )
    return [OperatorDifference(**one) for one in found]


def compare_operators(path: str, inputs: dict[str, str]) -> list[dict[str, Any]]:
    """Runs in the child process of `operator_differences`."""
    file = flatbuffer.read(Path(path))
    graph = file.model.subgraphs[0]
    examples = list(_intermediate(path, {name: np.load(array, mmap_mode="r") for name, array in inputs.items()}))
    found = []
    for operator in graph.operators:
        taken = _dynamic_inputs(file, graph, operator)
        results = {
            kernels: made
            for kernels in litert.RESOLVERS
            if (made := _results(file, graph, operator, taken, examples, kernels)) is not None
        }
        if len(results) < 2:
            continue
        output = graph.tensors[operator.outputs[0]]
        default = results.get("default")
        to_default = {
            kernels: _steps(made, default) for kernels, made in results.items() if default and kernels != "default"
        }
        others = _steps(results["builtin"], results["reference"]) if {"builtin", "reference"} <= set(results) else 0.0
        found.append(
            {
                "operator": file.operator_name(operator),
                "dtype": flatbuffer.DTYPES[output.type],
                "tensor": flatbuffer.text(output.name),
                "to_default": to_default,
                "others": others,
            }
        )
    return found


def _intermediate(path: str, inputs: Mapping[str, Array]) -> Iterator[dict[int, Array]]:
    """Per example, every tensor of a file by its position."""
    interpreter = Interpreter(
        model_path=path,
        experimental_op_resolver_type=litert.RESOLVERS["builtin"],
        experimental_preserve_all_tensors=True,
    )
    keys = list(interpreter.get_signature_list())
    details = (
        interpreter.get_signature_runner(keys[0]).get_input_details()
        if keys
        else {one["name"]: one for one in interpreter.get_input_details()}
    )
    for index in range(min(_EXAMPLES, len(next(iter(inputs.values()))))):
        for name, values in inputs.items():
            interpreter.resize_tensor_input(details[name]["index"], values[index : index + 1].shape)
        interpreter.allocate_tensors()
        interpreter.reset_all_variables()
        for name, values in inputs.items():
            one = details[name]
            value = litert.quantized(values[index : index + 1], one["dtype"], *one["quantization"])
            interpreter.set_tensor(one["index"], value)
        interpreter.invoke()
        found = {one["index"]: _value(interpreter, one) for one in interpreter.get_tensor_details()}
        yield {index: array for index, array in found.items() if array is not None}


def _value(interpreter: Interpreter, details: Mapping[str, Any]) -> Array | None:
    try:
        return np.array(interpreter.get_tensor(details["index"]))
    except ValueError:  # never computed
        return None


def _dynamic_inputs(file: flatbuffer.File, graph: schema.SubGraphT, operator: schema.OperatorT) -> list[int]:
    indices = [int(index) for index in operator.inputs if index >= 0]
    return [
        index
        for index in dict.fromkeys(indices)
        if file.raw(graph.tensors[index]) is None and not graph.tensors[index].isVariable
    ]


def _results(
    file: flatbuffer.File,
    graph: schema.SubGraphT,
    operator: schema.OperatorT,
    taken: list[int],
    examples: list[dict[int, Array]],
    kernels: litert.Kernels,
) -> list[Array] | None:
    """Results of an operator for every example; None where these kernels do not have it."""
    try:
        interpreter = Interpreter(
            model_content=_alone(file, graph, operator, taken), experimental_op_resolver_type=litert.RESOLVERS[kernels]
        )
        positions = [one["index"] for one in interpreter.get_input_details()]
        output = interpreter.get_output_details()[0]["index"]
        made = []
        for example in examples:
            for position, index in zip(positions, taken, strict=True):
                interpreter.resize_tensor_input(position, example[index].shape)
            interpreter.allocate_tensors()
            interpreter.reset_all_variables()
            for position, index in zip(positions, taken, strict=True):
                interpreter.set_tensor(position, example[index])
            interpreter.invoke()
            made.append(np.array(interpreter.get_tensor(output)))
    except (ValueError, RuntimeError, KeyError):
        return None
    return made


def _alone(file: flatbuffer.File, graph: schema.SubGraphT, operator: schema.OperatorT, taken: list[int]) -> bytes:
    """A file of one operator, without the weights of all others."""
    model = file.model
    kept = (graph.operators, graph.inputs, graph.outputs, model.buffers, model.signatureDefs, model.metadata)
    codes, code = model.operatorCodes, operator.opcodeIndex
    used = {graph.tensors[index].buffer for index in operator.inputs if index >= 0}
    try:
        graph.operators, graph.inputs, graph.outputs = [operator], taken, list(operator.outputs)
        model.signatureDefs, model.metadata = None, None
        if len(model.subgraphs) == 1:
            model.buffers = [b if i in used else schema.BufferT() for i, b in enumerate(model.buffers)]
            # Kernels that lack an operator refuse a file that only names it.
            model.operatorCodes, operator.opcodeIndex = [codes[code]], 0
        return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    finally:
        graph.operators, graph.inputs, graph.outputs = kept[:3]
        model.buffers, model.signatureDefs, model.metadata = kept[3:]
        model.operatorCodes, operator.opcodeIndex = codes, code


def _steps(found: list[Array], expected: list[Array]) -> float:
    """Largest difference over all examples, in steps."""
    largest = 0.0
    for one, other in zip(found, expected, strict=True):
        if one.shape != other.shape:
            return float("inf")
        if not one.size:
            continue
        difference = float(np.max(np.abs(one.astype(np.float64) - other.astype(np.float64))))
        if np.issubdtype(one.dtype, np.floating):
            spread = float(np.max(np.abs(other))) or 1.0
            difference *= _STEPS_OF_FLOATS / spread
        largest = max(largest, difference)
    return largest
