"""Latency, cold start and memory of `.tflite` files for one example on this machine."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from tfopt.backend.tflite import child_process, flatbuffer
from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.tflite.arena import arena_bytes
from tfopt.backend.tflite.fresh_start import fresh_start
from tfopt.backend.tflite.limits import Limits, doing, ends_within
from tfopt.errors import ExportError

_WARM_UP = 5
_SLICE_MS = 2.0
_MOST_PER_ROUND = 50
_FIRST_SECONDS = 120
"""For opening a file and its first call: a file of others may loop for ever."""
_MEMORY = 8 << 30
"""Bytes that a small file may take."""


class BenchRow(TypedDict, total=False):
    """What was measured of a file with some kernels and a number of threads; see `bench`."""

    name: str
    bytes: int
    kernels: litert.Kernels
    threads: int
    latency_ms: float
    latency_ms_p10: float
    latency_ms_p90: float
    invocations: int
    cold_start_ms: float
    peak_memory: int
    arena_bytes: int | None
    operators: list[dict[str, object]]
    operators_error: str
    error: str


def bench(
    files: Sequence[Path | str],
    threads: int | Sequence[int] = 1,
    rounds: int = 30,
    example: Mapping[str, Path] | None = None,
    kernels: Sequence[litert.Kernels] = ("default",),
) -> list[BenchRow]:
    """Times files against each other, in a child process.

    Everything that is timed takes turns in every round, so that a machine that slows down slows all of it; the median
    is robust against other processes.

    Args:
        files: `.tflite` files.
        threads: threads that LiteRT may use; several numbers are timed against each other.
        rounds: how many turns each file has, of about 2 ms or one invocation.
        example: .npy file per input name, whose first row is the input; without it, random numbers (zeros for integer
            inputs) of the file's own shape.
        kernels: which implementations run, each timed against the others.

    Returns:
        Per file, kernels and number of threads: `name` (of the file), `bytes`, `kernels`, `threads`, `latency_ms`
        (median of single invocations, without copying data in and out), `latency_ms_p10`, `latency_ms_p90`,
        `invocations`, `arena_bytes` (see `arena`), `cold_start_ms`, `peak_memory` (see `fresh_start`).

    Raises:
        ExportError: a file is malformed.
        ProcessCrashed: LiteRT crashed on a file.
        ProcessFailed: LiteRT refused a file, or these kernels lack one of its operators.
    """
    arguments = {
        "files": [str(file) for file in files],
        "threads": [threads] if isinstance(threads, int) else list(threads),
        "rounds": rounds,
        "example": {name: str(path) for name, path in (example or {}).items()},
        "kernels": list(kernels),
    }
    size = sum(Path(file).stat().st_size for file in files if Path(file).is_file())
    limits = Limits(memory=_MEMORY + 16 * size)
    try:
        result: list[BenchRow] = child_process.call("tfopt.backend.tflite.benchmark:time_files", arguments, limits)
    except child_process.ProcessFailed as failed:
        if "TfoptError" in failed.kinds:  # a malformed file
            raise ExportError(failed.reason, code=failed.own_code) from failed
        raise
    return result


@dataclass(frozen=True)
class _Setting:
    """What is timed: a file, with these kernels and that many threads."""

    file: str
    kernels: litert.Kernels
    threads: int


def _arena(file: str, example: Mapping[str, np.ndarray]) -> int | None:
    """Bytes of the arena on the built-in kernels; None where only other kernels run the file."""
    try:
        return arena_bytes(file, example)
    except (RuntimeError, ValueError):
        return None


def time_files(
    files: list[str], threads: list[int], rounds: int, example: dict[str, str], kernels: list[litert.Kernels]
) -> list[dict[str, object]]:
    """Runs in the child process of `bench`."""
    for file in files:
        with ends_within(_FIRST_SECONDS, f"read {file}"):
            flatbuffer.read(Path(file))  # a malformed one would crash LiteRT, which does not name it
    given = {name: np.load(path)[:1] for name, path in example.items()}
    settings = [_Setting(file, kind, number) for file in files for kind in kernels for number in threads]
    first = []
    for each in settings:
        with ends_within(_FIRST_SECONDS, f"ran {each.file} for the first time"):
            first.append(fresh_start(each.file, each.threads, each.kernels, given))
    arenas = {}
    for file in files:
        with ends_within(_FIRST_SECONDS, f"ran {file} on the built-in kernels"):
            arenas[file] = _arena(file, given)
    doing(f"timed {', '.join(files)}")
    model = [litert.open_file(each.file, each.threads, each.kernels) for each in settings]
    for opened in model:
        inputs = given or litert.random_inputs(opened)
        opened.prepare(inputs)
        opened.set_inputs(inputs)
    turns = [_warm_up(each) for each in model]
    times: list[list[float]] = [[] for _ in model]
    for _ in range(rounds):
        for opened, turn, taken in zip(model, turns, times, strict=True):
            taken.extend(invoke(opened.interpreter) for _ in range(turn))
    return [
        {**_summary(each, taken), "arena_bytes": arenas[each.file], **started}
        for each, taken, started in zip(settings, times, first, strict=True)
    ]


def _warm_up(model: litert.LiteRTModel) -> int:
    """Runs a few times; returns how many invocations make up a turn."""
    fastest = min(invoke(model.interpreter) for _ in range(_WARM_UP))
    return int(np.clip(_SLICE_MS / max(fastest, 1e-6), 1, _MOST_PER_ROUND))


def invoke(interpreter: Interpreter) -> float:
    """Milliseconds of one invocation."""
    start = time.perf_counter_ns()
    interpreter.invoke()
    return (time.perf_counter_ns() - start) / 1e6


def _summary(setting: _Setting, taken: list[float]) -> dict[str, object]:
    p10, median, p90 = (float(value) for value in np.percentile(taken, [10, 50, 90]))
    return {
        "name": Path(setting.file).name,
        "bytes": Path(setting.file).stat().st_size,
        "kernels": setting.kernels,
        "latency_ms": median,
        "latency_ms_p10": p10,
        "latency_ms_p90": p90,
        "invocations": len(taken),
        "threads": setting.threads,
    }
