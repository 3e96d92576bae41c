"""Golden examples of a file: the very bytes that an app gives it, and those that come out.

The file itself is run, one example after the other, in a child process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfopt.backend.bundle.ports import Ports, RunDetails, described, open_model
from tfopt.backend.tflite import child_process
from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.tflite.interpreter import TensorDetails
from tfopt.backend.tflite.predict import is_stateful
from tfopt.backend.types import Array

_FLOAT_TOLERANCE = 1e-3
"""Of a file that computes in float, as a share of the largest value: other kernels add in a different order."""
_QUANTIZED_TOLERANCE = 2e-2
"""The same of float outputs of a file with integers inside, some of which are rounded in the other direction there."""
_STEPS = 2
"""Of integer outputs, in steps."""


@dataclass(frozen=True)
class Golden:
    """What a file gets and returns, in the types of the file.

    Args:
        ports: of the file.
        inputs: (examples, 1, ...) by input.
        outputs: (examples, 1, ...) by output.
    """

    ports: Ports
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]


def run(file: Path, inputs: Mapping[str, Path], work: Path, *, quantized: bool = False) -> Golden:
    """Runs a file on examples.

    Args:
        file: a `.tflite`.
        inputs: .npy file of (examples, ...) real values by input.
        work: folder for what comes out.
        quantized: the inputs are golden ones, (examples, 1, ...) in the types of the file.

    Raises:
        ProcessCrashed: LiteRT crashed.
        ProcessFailed: LiteRT refused the file or the examples.
    """
    reply = child_process.call(
        "tfopt.backend.bundle.golden:run_into",
        {"path": str(file), "inputs": {name: str(path) for name, path in inputs.items()}, "folder": str(work)}
        | {"quantized": quantized},
    )
    inputs_of, outputs_of = (
        {name: np.load(path) for name, path in reply[end].items()} for end in ("inputs", "outputs")
    )
    return Golden(Ports.of(reply["ports"]), inputs_of, outputs_of)


def run_into(path: str, inputs: dict[str, str], folder: str, quantized: bool) -> dict[str, object]:
    """Runs in the child process of `run`: what the file got and returned is written to .npy files."""
    examples = {name: np.load(file, allow_pickle=False) for name, file in inputs.items()}
    if quantized:
        examples = {name: values[:, 0] for name, values in examples.items()}
    stateful = is_stateful(Path(path))
    model = open_model(path)
    model.prepare({name: values[:1] for name, values in examples.items()})
    got: dict[str, list[Array]] = {name: [] for name in model.inputs}
    returned: dict[str, list[Array]] = {name: [] for name in model.outputs}
    for number in range(len(next(iter(examples.values())))):
        if stateful:
            model.interpreter.reset_all_variables()
        for name, details in model.inputs.items():
            values = examples[name][number : number + 1]
            steps = (0.0, 0) if quantized else details["quantization"]
            given = litert.quantized(values, details["dtype"], *steps)
            model.interpreter.set_tensor(details["index"], given)
            got[name].append(given)
        model.interpreter.invoke()
        for name, details in model.outputs.items():
            returned[name].append(model.interpreter.get_tensor(details["index"]))
    ports = {
        "inputs": _ports(model.inputs, got, model.interpreter.get_input_details(), defaults=True),
        "outputs": _ports(model.outputs, returned, model.interpreter.get_output_details(), defaults=False),
        "stateful": stateful,
    }
    return {"ports": ports, "inputs": _saved(got, folder, "in"), "outputs": _saved(returned, folder, "out")}


def _ports(
    details: Mapping[str, TensorDetails],
    values: Mapping[str, list[Array]],
    order: Sequence[TensorDetails],
    *,
    defaults: bool,
) -> list[dict[str, object]]:
    now: dict[str, RunDetails] = {name: {**entry, "now": values[name][0].shape} for name, entry in details.items()}
    return [port.record() for port in described(now, order, defaults)]


def _saved(values: Mapping[str, list[Array]], folder: str, end: str) -> dict[str, str]:
    files = {name: str(Path(folder, f"{end}.{number}.npy")) for number, name in enumerate(values)}
    for name, parts in values.items():
        np.save(files[name], np.stack(parts))
    return files


def tolerance(golden: Golden, quantized: bool) -> dict[str, float]:
    """How far an output may be off on another device, in the numbers of the file, by output.

    Args:
        golden: what came out here.
        quantized: whether the file has weights or operators in integers.
    """
    found = {}
    for port in golden.ports.outputs:
        values = golden.outputs[port.name]
        if np.issubdtype(values.dtype, np.integer):
            found[port.name] = float(_STEPS if port.integers else 0)
            continue
        share = _QUANTIZED_TOLERANCE if quantized else _FLOAT_TOLERANCE
        found[port.name] = max(share * float(np.abs(values).max(initial=0.0)), 1e-5)
    return found
