"""Reads a Keras 3 file back in a process that imports neither tf_keras nor tfopt."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfopt.backend.data.arrays.reading import in_memory
from tfopt.backend.data.arrays.stored import save_rows
from tfopt.backend.types import Array, ExampleArray
from tfopt.catalog.own_code import child_environment
from tfopt.errors import ExportError

_SCRIPT = Path(__file__).with_name("_read_back_script.py")
_TAIL = 3


@dataclass(frozen=True)
class ReadBack:
    """Outputs and properties of a file that a plain Keras process loaded.

    Args:
        outputs: predictions of the examples, in the order of the model's outputs.
        version: of Keras.
        custom_objects: names of classes and functions outside Keras that Keras needed.
        others: which of tf_keras, tfopt and tfmot were imported.
    """

    outputs: list[Array]
    version: str
    custom_objects: tuple[str, ...]
    others: tuple[str, ...]


def read_back(
    path: Path,
    inputs: Sequence[ExampleArray],
    num_outputs: int,
    custom_objects: Mapping[str, str],
    batch_size: int = 256,
) -> ReadBack:
    """Loads a `.keras` file with `keras.models.load_model` in a new process, and predicts examples there.

    Args:
        path: the file.
        inputs: (examples, ...) per input, in the model's order.
        num_outputs: how many outputs the model has.
        custom_objects: classes and functions outside Keras, as `module:name` by Keras name; Keras receives them only
            where it does not load the file without.
        batch_size: examples per step.

    Raises:
        ExportError: Keras does not load or run the file; with the last line it wrote.
    """
    with tempfile.TemporaryDirectory(prefix="tfopt-plain-") as folder:
        work = Path(folder)
        request, reply = work / "request.json", work / "reply.json"
        input_files = [str(work / f"input.{number}.npy") for number in range(len(inputs))]
        output_files = [str(work / f"output.{number}.npy") for number in range(num_outputs)]
        for name, values in zip(input_files, inputs, strict=True):
            save_rows(Path(name), in_memory(values).astype(str) if values.dtype == object else values)
        content = {
            "path": str(path.absolute()),
            "inputs": input_files,
            "outputs": output_files,
            "custom_objects": dict(custom_objects),
            "batch_size": batch_size,
        }
        request.write_text(json.dumps(content), encoding="utf-8")
        # The code itself, not the file: Python would search the folder of the file for modules.
        command = [sys.executable, "-c", _SCRIPT.read_text(encoding="utf-8"), str(request), str(reply)]
        done = subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, text=True, errors="replace")
        if done.returncode != 0 or not reply.exists():
            last = " ".join(done.stderr.strip().splitlines()[-_TAIL:])
            raise ExportError(f"Plain Keras cannot read {path.name} back: {last}", code="conversion_failed")
        found = json.loads(reply.read_text(encoding="utf-8"))
        outputs = [np.load(name) for name in output_files]
    return ReadBack(outputs, found["keras"], tuple(found["custom_objects"]), tuple(found["others"]))


def _environment() -> dict[str, str]:
    """This environment with its modules, but without what makes TensorFlow prefer tf_keras."""
    environment = child_environment({"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"})
    environment.pop("TF_USE_LEGACY_KERAS", None)
    return environment
