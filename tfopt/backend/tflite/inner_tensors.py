"""The values of every tensor inside a `.tflite` file for some examples, read in a child process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfopt.backend.tflite import child_process
from tfopt.backend.tflite.interpreter import LiteRTModel, TensorDetails, dequantized
from tfopt.backend.types import Array


def inner_tensors(path: Path, inputs: Mapping[str, Path], examples: int, work: Path) -> list[tuple[str, Array]]:
    """Names and real values (examples, ...) of what the operators of a file write, in the order of execution.

    Runs on LiteRT's plain kernels: a delegate does not show what is inside it.

    Args:
        path: a `.tflite` file.
        inputs: .npy file of (examples, ...) real values per input name.
        examples: how many of them to run.
        work: folder for the values.

    Raises:
        ProcessCrashed: LiteRT crashed.
        ProcessFailed: LiteRT refused the file or the examples.
    """
    reply = child_process.call(
        "tfopt.backend.tflite.inner_tensors:write_tensors",
        {
            "path": str(path),
            "inputs": {name: str(file) for name, file in inputs.items()},
            "examples": examples,
            "folder": str(work),
        },
    )
    return [(name, np.load(file)) for name, file in reply]


def write_tensors(path: str, inputs: dict[str, str], examples: int, folder: str) -> list[tuple[str, str]]:
    """Runs in the child process of `inner_tensors`."""
    interpreter = Interpreter(
        model_path=path,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    model = LiteRTModel(interpreter, *_ports(interpreter))
    arrays = {name: np.load(file, mmap_mode="r")[:examples] for name, file in inputs.items()}
    found: dict[int, list[Array]] = {}
    written = _written(interpreter)
    for index in range(min(examples, len(next(iter(arrays.values()))))):
        example = {name: values[index : index + 1] for name, values in arrays.items()}
        if index == 0:
            model.prepare(example)
        model.set_inputs(example)
        interpreter.invoke()
        for tensor in written:
            try:
                values = interpreter.get_tensor(tensor["index"])
            except ValueError:  # of a subgraph that did not run, or without memory of its own
                continue
            real = dequantized(values, *tensor["quantization"])
            found.setdefault(tensor["index"], []).append(np.asarray(real, np.float32))
    result: list[tuple[str, str]] = []
    for number, tensor in enumerate(one for one in written if one["index"] in found):
        file = Path(folder, f"tensor.{number}.npy")
        np.save(file, np.stack(found[tensor["index"]]))
        result.append((tensor["name"], str(file)))
    return result


def _ports(interpreter: Interpreter) -> tuple[dict[str, TensorDetails], dict[str, TensorDetails]]:
    """Details of inputs and outputs by name; in a function, for LiteRT does not run while a signature runner lives."""
    keys = list(interpreter.get_signature_list())
    if keys:
        runner = interpreter.get_signature_runner(keys[0])
        return dict(runner.get_input_details()), dict(runner.get_output_details())
    sides = (interpreter.get_input_details(), interpreter.get_output_details())
    return {one["name"]: one for one in sides[0]}, {one["name"]: one for one in sides[1]}


def _written(interpreter: Interpreter) -> list[TensorDetails]:
    """Details of the numeric tensors that operators write, each once, in the order of execution."""
    details = {one["index"]: one for one in interpreter.get_tensor_details()}
    indices = [int(index) for operator in interpreter._get_ops_details() for index in operator["outputs"]]
    numeric = [index for index in dict.fromkeys(indices) if index in details]
    return [details[index] for index in numeric if np.issubdtype(details[index]["dtype"], np.number)]
