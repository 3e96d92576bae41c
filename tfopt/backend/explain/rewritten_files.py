"""Runs a file with some of its operators in float, in a child process, without writing more than one such file."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfopt.backend.explain.float_operators import in_float
from tfopt.backend.tflite import child_process, predict
from tfopt.backend.types import Array
from tfopt.errors import ExportError

_TOGETHER = 8
"""Files per child process: a crash costs those, each of which is then run by itself."""


@dataclass(frozen=True)
class Ran:
    """What a rewritten file came to.

    Args:
        outputs: of the output that is measured, (examples, ...).
        bytes: its size.
    """

    outputs: Array
    bytes: int


def of_file(outputs: Mapping[str, Array], output: str) -> Array:
    """The output of a file that is measured: that of a name, or the only one."""
    if output in outputs:
        return outputs[output]
    if len(outputs) != 1:
        raise ExportError(f"the file has no output {output!r}; it has {', '.join(outputs)}", code="unknown_output")
    return next(iter(outputs.values()))


def run_rewritten(
    file: Path,
    versions: Sequence[Collection[int]],
    weights: Mapping[int, Array],
    inputs: Mapping[str, Path],
    work: Path,
    done: Callable[[int], None] = lambda number: None,
    output: str = "",
) -> list[Ran | str]:
    """Outputs of versions of a file; for one that cannot be run, why.

    Args:
        file: a `.tflite`.
        versions: of each, the positions of the operators that compute in float.
        weights: float values of quantized constants, by position of the tensor.
        inputs: .npy file of (examples, ...) real values per input name.
        work: folder for values.
        done: called after each group of versions with the number that is done.
        output: name of the output that is measured; empty for the only one.
    """
    stored = work / "float_weights.npz"
    arrays: Any = {str(index): values for index, values in weights.items()}
    np.savez(stored, **arrays)
    found: list[Ran | str] = []
    for start in range(0, len(versions), _TOGETHER):
        group = [sorted(version) for version in versions[start : start + _TOGETHER]]
        try:
            found += _called(file, group, stored, inputs, work, output)
        except child_process.ProcessCrashed:
            for version in group:
                try:
                    found += _called(file, [version], stored, inputs, work, output)
                except child_process.ProcessCrashed as crash:
                    found.append(str(crash))
        done(len(found))
    return found


def _called(
    file: Path,
    versions: Sequence[Sequence[int]],
    weights: Path,
    inputs: Mapping[str, Path],
    work: Path,
    output: str,
) -> list[Ran | str]:
    replies = child_process.call(
        "tfopt.backend.explain.rewritten_files:run_all",
        {
            "path": str(file),
            "versions": [[*version] for version in versions],
            "weights": str(weights),
            "inputs": {name: str(path) for name, path in inputs.items()},
            "folder": str(work),
            "output": output,
        },
    )
    return [reply["error"] if "error" in reply else Ran(np.load(reply["outputs"]), reply["bytes"]) for reply in replies]


def run_all(
    path: str, versions: list[list[int]], weights: str, inputs: dict[str, str], folder: str, output: str = ""
) -> list[dict[str, object]]:
    """Runs in the child process of `run_rewritten`: outputs are written to .npy files."""
    content = Path(path).read_bytes()
    with np.load(weights) as stored:
        floats = {int(name): stored[name] for name in stored.files}
    examples = {name: np.load(file, mmap_mode="r") for name, file in inputs.items()}
    replies: list[dict[str, object]] = []
    written = Path(folder, "rewritten.tflite")
    for number, version in enumerate(versions):
        try:
            made = in_float(content, version, floats)
            written.write_bytes(made)
            outputs, _, _ = predict.predict(str(written), examples, os.cpu_count() or 1, "default")
        except (RuntimeError, ValueError, ExportError) as error:
            replies.append({"error": f"{type(error).__name__}: {error}"})
            continue
        target = Path(folder, f"rewritten.{number}.npy")
        np.save(target, of_file(outputs, output))
        replies.append({"outputs": str(target), "bytes": len(made)})
    return replies
