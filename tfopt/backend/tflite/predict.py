"""Runs a `.tflite` file on many examples, in a child process, with the outputs that an app gets for single examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfopt.backend.tflite import child_process, flatbuffer
from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.types import Array
from tfopt.errors import ExportError

_BATCH = 128
_PROBE = 8


@dataclass(frozen=True)
class Predictions:
    """Outputs of a file, and how they were computed.

    Args:
        outputs: real values, (examples, ...), by output name.
        batch: examples per invocation.
        reason: why each example was invoked alone; empty for batches.
        threads: threads that LiteRT could use.
    """

    outputs: dict[str, Array]
    batch: int
    reason: str
    threads: int


def run_file(
    path: Path, inputs: Mapping[str, Path], work: Path, threads: int = 1, kernels: litert.Kernels = "default"
) -> Predictions:
    """Runs all examples through a file.

    Args:
        path: a `.tflite` file.
        inputs: .npy file of (examples, ...) real values per input name.
        work: folder for the outputs.
        threads: threads that LiteRT may use.
        kernels: which implementations run.

    Raises:
        ProcessCrashed: LiteRT crashed.
        ProcessFailed: LiteRT refused the file or the examples.
    """
    reply = child_process.call(
        "tfopt.backend.tflite.predict:predict_into",
        {
            "path": str(path),
            "inputs": {name: str(file) for name, file in inputs.items()},
            "folder": str(work),
            "threads": threads,
            "kernels": kernels,
        },
    )
    outputs = {name: np.load(file) for name, file in reply["outputs"].items()}
    return Predictions(outputs, reply["batch"], reply["reason"], threads)


def predict_into(
    path: str, inputs: dict[str, str], folder: str, threads: int, kernels: litert.Kernels
) -> dict[str, object]:
    """Runs in the child process of `run_file`: outputs are written to .npy files."""
    examples = {name: np.load(file, mmap_mode="r") for name, file in inputs.items()}
    outputs, batch, reason = predict(path, examples, threads, kernels)
    stem = f"{Path(path).stem}.{kernels}"
    files = {name: str(Path(folder, f"{stem}.{number}.npy")) for number, name in enumerate(outputs)}
    for name, values in outputs.items():
        np.save(files[name], values)
    return {"outputs": files, "batch": batch, "reason": reason}


def predict(
    path: str, examples: Mapping[str, Array], threads: int, kernels: litert.Kernels
) -> tuple[dict[str, Array], int, str]:
    """Outputs of a file in this process.

    Batches are used only where they give the outputs of single examples, which is measured on the first ones:
    a recurrent network keeps its state between invocations, and some kernels choose one scale per batch.

    Returns:
        Outputs, examples per invocation, and why that is 1 if it is.
    """
    stateful = is_stateful(Path(path))  # reads the file: a malformed one ends here, with a message
    model = litert.open_file(path, threads, kernels)
    unknown = sorted(set(examples) ^ set(model.inputs))
    if unknown:
        raise ExportError(
            f"{path} has the inputs {sorted(model.inputs)}, but examples are given for {sorted(examples)}.",
            code="incompatible_shapes",
        )
    if stateful:
        return (
            _one_by_one(model, examples, resets=True),
            1,
            "the file keeps a state, which is reset before each example",
        )
    if not model.resizable:
        return _one_by_one(model, examples), 1, "its batch size is fixed"
    size = len(next(iter(examples.values())))
    probe = {name: values[:_PROBE] for name, values in examples.items()}
    try:
        batched = _batches(litert.open_file(path, threads, kernels), probe, _PROBE)
        single = _one_by_one(model, probe)
        if all(_same(batched[name], single[name]) for name in single):
            return _batches(litert.open_file(path, threads, kernels), examples, _BATCH), min(_BATCH, size), ""
        reason = "outputs of a batch differ from single ones"
    except (RuntimeError, ValueError) as error:
        reason = f"a kernel refuses batches: {error}"
    return _one_by_one(litert.open_file(path, threads, kernels), examples), 1, reason


def is_stateful(path: Path) -> bool:
    """Returns whether a file holds variables that outlive an invocation, such as the state of a fused LSTM."""
    tensors = [tensor for graph in flatbuffer.read(path).model.subgraphs for tensor in graph.tensors]
    return any(tensor.isVariable or flatbuffer.DTYPES[tensor.type] == "resource" for tensor in tensors)


def _same(one: Array, other: Array) -> bool:
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-4, atol=1e-5, equal_nan=True)


def _batches(model: litert.LiteRTModel, examples: Mapping[str, Array], batch: int) -> dict[str, Array]:
    total = len(next(iter(examples.values())))
    parts: list[dict[str, Array]] = []
    for start in range(0, total, batch):
        part = {name: values[start : start + batch] for name, values in examples.items()}
        if start == 0 or start + batch > total:
            model.prepare(part)
        model.set_inputs(part)
        outputs = model.predict()
        if any(len(output) != len(next(iter(part.values()))) for output in outputs.values()):
            raise ValueError("the outputs do not grow with the batch")
        parts.append(outputs)
    return _joined(parts)


def _one_by_one(model: litert.LiteRTModel, examples: Mapping[str, Array], resets: bool = False) -> dict[str, Array]:
    total = len(next(iter(examples.values())))
    parts: list[dict[str, Array]] = []
    model.prepare({name: values[:1] for name, values in examples.items()})
    for index in range(total):
        if resets:
            model.interpreter.reset_all_variables()
        model.set_inputs({name: values[index : index + 1] for name, values in examples.items()})
        parts.append(model.predict())
    return _joined(parts)


def _joined(parts: list[dict[str, Array]]) -> dict[str, Array]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
