"""Runs a `.tflite` file on many examples, in a child process, exactly as an app would answer them one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfopt.backend.tflite import child_process as child
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite import interpreter as litert
from tfopt.errors import ExportError

_BATCH = 128
_PROBE = 8


@dataclass(frozen=True)
class Predictions:
    """What a file answered.

    Args:
        outputs: real values, (examples, ...), by output name.
        batch: examples per invocation.
        reason: why they went one by one; empty where they went in batches.
        threads: threads that LiteRT could use.
    """

    outputs: dict[str, np.ndarray]
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
        work: folder for the answers.
        threads: threads that LiteRT may use.
        kernels: which implementations run.

    Raises:
        ProcessCrashed: LiteRT took its process down.
        ProcessFailed: LiteRT refused the file or the examples.
    """
    answer = child.call(
        "tfopt.backend.tflite.predict:predict_into",
        {
            "path": str(path),
            "inputs": {name: str(file) for name, file in inputs.items()},
            "folder": str(work),
            "threads": threads,
            "kernels": kernels,
        },
    )
    outputs = {name: np.load(file) for name, file in answer["outputs"].items()}
    return Predictions(outputs, answer["batch"], answer["reason"], threads)


def predict_into(
    path: str, inputs: dict[str, str], folder: str, threads: int, kernels: litert.Kernels
) -> dict[str, Any]:
    """The child's side of `run_file`: answers go to .npy files."""
    examples = {name: np.load(file, mmap_mode="r") for name, file in inputs.items()}
    outputs, batch, reason = predict(path, examples, threads, kernels)
    stem = f"{Path(path).stem}.{kernels}"
    files = {name: str(Path(folder, f"{stem}.{number}.npy")) for number, name in enumerate(outputs)}
    for name, values in outputs.items():
        np.save(files[name], values)
    return {"outputs": files, "batch": batch, "reason": reason}


def predict(
    path: str, examples: Mapping[str, np.ndarray], threads: int, kernels: litert.Kernels
) -> tuple[dict[str, np.ndarray], int, str]:
    """Answers of a file in this process.

    Batches are used only where they give the answers that single examples give, which is measured on the first ones:
    a recurrent network keeps its state between invocations, and some kernels choose one scale per batch.

    Returns:
        Outputs, examples per invocation, and why that is 1 if it is.
    """
    stateful = is_stateful(Path(path))  # reads the file: a malformed one ends here, with a message
    opened = litert.open_file(path, threads, kernels)
    strange = sorted(set(examples) ^ set(opened.inputs))
    if strange:
        raise ExportError(
            f"{path} has the inputs {sorted(opened.inputs)}, but examples are given for {sorted(examples)}.",
            code="incompatible_shapes",
        )
    if stateful:
        return (
            _one_by_one(opened, examples, resets=True),
            1,
            "the file keeps a state, which is reset before each example",
        )
    if not opened.resizable:
        return _one_by_one(opened, examples), 1, "its batch size is fixed"
    size = len(next(iter(examples.values())))
    probe = {name: values[:_PROBE] for name, values in examples.items()}
    try:
        batched = _batches(litert.open_file(path, threads, kernels), probe, _PROBE)
        single = _one_by_one(opened, probe)
        if all(_same(batched[name], single[name]) for name in single):
            return _batches(litert.open_file(path, threads, kernels), examples, _BATCH), min(_BATCH, size), ""
        reason = "answers in a batch differ from single ones"
    except (RuntimeError, ValueError) as error:
        reason = f"a kernel refuses batches: {error}"
    return _one_by_one(litert.open_file(path, threads, kernels), examples), 1, reason


def is_stateful(path: Path) -> bool:
    """Whether a file holds variables that outlive an invocation, such as the state of a fused LSTM."""
    tensors = [tensor for graph in flatbuffer.read(path).model.subgraphs for tensor in graph.tensors]
    return any(tensor.isVariable or flatbuffer.DTYPES[tensor.type] == "resource" for tensor in tensors)


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-4, atol=1e-5, equal_nan=True)


def _batches(opened: litert.Opened, examples: Mapping[str, np.ndarray], batch: int) -> dict[str, np.ndarray]:
    total = len(next(iter(examples.values())))
    parts: list[dict[str, np.ndarray]] = []
    for start in range(0, total, batch):
        part = {name: values[start : start + batch] for name, values in examples.items()}
        if start == 0 or start + batch > total:
            opened.prepare(part)
        opened.set_inputs(part)
        answers = opened.answer()
        if any(len(answer) != len(next(iter(part.values()))) for answer in answers.values()):
            raise ValueError("the outputs do not grow with the batch")
        parts.append(answers)
    return _joined(parts)


def _one_by_one(
    opened: litert.Opened, examples: Mapping[str, np.ndarray], resets: bool = False
) -> dict[str, np.ndarray]:
    total = len(next(iter(examples.values())))
    parts: list[dict[str, np.ndarray]] = []
    opened.prepare({name: values[:1] for name, values in examples.items()})
    for index in range(total):
        if resets:
            opened.interpreter.reset_all_variables()
        opened.set_inputs({name: values[index : index + 1] for name, values in examples.items()})
        parts.append(opened.answer())
    return _joined(parts)


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
