"""Where the kernels of LiteRT part: each operator of a file alone, on the same inputs, on every kind of kernels.

Comparing whole files cannot tell a wrong kernel from rounding that adds up over the layers: each operator may round one
step up where another kernel rounds down. With equal inputs, right kernels differ by a step or two, a wrong one by more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from tfopt.backend.tflite import child_process, flatbuffer
from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.tflite.single_operator import alone, dynamic_inputs, intermediate
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


def compare_operators(path: str, inputs: dict[str, str]) -> list[dict[str, object]]:
    """Runs in the child process of `operator_differences`."""
    file = flatbuffer.read(Path(path))
    graph = file.model.subgraphs[0]
    examples = list(
        intermediate(path, {name: np.load(array, mmap_mode="r") for name, array in inputs.items()}, _EXAMPLES)
    )
    found = []
    for operator in graph.operators:
        taken = dynamic_inputs(file, graph, operator)
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
            model_content=alone(file, graph, operator, taken), experimental_op_resolver_type=litert.RESOLVERS[kernels]
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
