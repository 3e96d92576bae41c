"""Child processes of tests: stages that are killed in the middle, and functions that a child runs."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.root import REPOSITORY


def kill_stage(function: str, folder: Path, moment: str) -> None:
    """Runs a stage in a child process, which kills itself at a moment.

    Args:
        function: `module:name`, called with the folder and a listener for events.
        folder: where the stage works.
        moment: `progress 3` or `epoch 3` (event and epoch), or `saving`: between writing a checkpoint and its renaming.
    """
    command = [sys.executable, "-m", "tests.support.children.processes", function, str(folder), moment]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def main(function: str, folder: str, moment: str) -> None:
    """The child's side of `kill_stage`."""
    from tests.support.quick_tensorflow import optimize_graphs
    from tfopt.backend.training import loop, steps

    optimize_graphs(on=False)

    def kill(*arguments: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def react(event: Mapping[str, Any]) -> None:
        if event["event"] == moment.split()[0] and event["epoch"] == int(moment.split()[1]):
            kill()

    steps.SIGN_OF_LIFE = loop.SECONDS_BETWEEN_SIGNS = 0.0  # step by step, and each one shown
    if moment == "saving":
        os.replace = kill
    module, _, name = function.partition(":")
    getattr(importlib.import_module(module), name)(Path(folder), react)


def convert_or_crash(conversions: list[dict[str, Any]]) -> None:
    """Takes the converter's place: crashes at `crashing`, refuses `odd`, writes the rest."""
    for conversion in conversions:
        name = Path(conversion["target"]).stem
        if name == "crashing":
            os.kill(os.getpid(), signal.SIGSEGV)
        if name == "odd":
            raise RuntimeError("op is neither custom nor builtin\nloc: callsite")
        Path(conversion["target"]).write_bytes(b"done")


def time_and_list(files: list[str], example: dict[str, str]) -> dict[str, Any]:
    """Times files, and lists which of the large packages that took."""
    from tfopt.backend.tflite import benchmark

    rows = benchmark.time_files(files, [1], 3, example, ["default"])
    return {"rows": rows, "loaded": sorted({"tensorflow", "tf_keras", "keras"} & set(sys.modules))}


if __name__ == "__main__":
    main(*sys.argv[1:])
