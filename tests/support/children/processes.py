"""Child processes of tests: stages that are killed in the middle, and functions that a child runs."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tfopt.backend.tflite import child_process


def kill_stage(function: str, folder: Path, moment: str) -> None:
    """Runs a stage in a child process, which kills itself at a moment.

    It is a fork of the process that conversions are forked from: a new one needs 6 CPU seconds to import TensorFlow.

    Args:
        function: `module:name`, called with the folder and a listener for events.
        folder: where the stage works.
        moment: `progress 3` or `epoch 3` (event and epoch), or `saving`: between writing a checkpoint and its renaming.
    """
    arguments = {"function": function, "folder": str(folder), "moment": moment}
    with pytest.raises(child_process.ProcessCrashed) as crashed:
        child_process.call(f"{__name__}:main", arguments, libraries="tensorflow")
    assert crashed.value.cause == signal.SIGKILL.name, crashed.value.tail


def kill_run(recipe: Path, out: Path, event: str, count: int) -> None:
    """Runs a recipe in a child process as above, which kills itself at the `count`-th event of a kind."""
    arguments = {"recipe": str(recipe), "out": str(out), "event": event, "count": count}
    with pytest.raises(child_process.ProcessCrashed) as crashed:
        child_process.call(f"{__name__}:run_until_killed", arguments, libraries="tensorflow")
    assert crashed.value.cause == signal.SIGKILL.name, crashed.value.tail


def run_until_killed(recipe: str, out: str, event: str, count: int) -> None:
    """The child's side of `kill_run`."""
    import tfopt
    from tests.support.quick_tensorflow import optimize_graphs

    optimize_graphs(on=False)
    heard = 0

    def react(found: Mapping[str, Any]) -> None:
        nonlocal heard
        heard += found["event"] == event
        if heard == count:
            os.kill(os.getpid(), signal.SIGKILL)

    tfopt.run(Path(recipe), out=Path(out), on_event=react)


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
