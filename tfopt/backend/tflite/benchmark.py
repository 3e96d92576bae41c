"""Latency of `.tflite` files for one example on this machine."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfopt.backend.tflite import child_process, flatbuffer
from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.types import Array

_WARM_UP = 5
_SLICE_MS = 2.0
_MOST_PER_ROUND = 50


def bench(
    files: Sequence[Path | str], threads: int = 1, rounds: int = 30, example: Mapping[str, Path] | None = None
) -> list[dict[str, Any]]:
    """Times files against each other, in a child process.

    The files take turns in every round, so that a machine that slows down slows all of them; the median is robust
    against other processes.

    Args:
        files: `.tflite` files.
        threads: threads that LiteRT may use.
        rounds: how many turns each file has, of about 2 ms or one invocation.
        example: .npy file per input name, whose first row is the input; without it, random numbers (zeros for integer
            inputs) of the file's own shape.

    Returns:
        Per file: `name` (of the file), `bytes`, `latency_ms` (median of single invocations, without copying data in
        and out), `latency_ms_p10`, `latency_ms_p90`, `invocations`, `threads`.

    Raises:
        ExportError: a file is malformed.
        ProcessCrashed: LiteRT crashed on a file.
        ProcessFailed: LiteRT refused a file.
    """
    for file in files:
        flatbuffer.read(Path(file))  # a malformed one would crash LiteRT, which does not name it
    arguments = {
        "files": [str(file) for file in files],
        "threads": threads,
        "rounds": rounds,
        "example": {name: str(path) for name, path in (example or {}).items()},
    }
    result: list[dict[str, Any]] = child_process.call("tfopt.backend.tflite.benchmark:time_files", arguments)
    return result


def time_files(files: list[str], threads: int, rounds: int, example: dict[str, str]) -> list[dict[str, Any]]:
    """Runs in the child process of `bench`."""
    model = [litert.open_file(file, threads) for file in files]
    for each in model:
        inputs = {name: np.load(path)[:1] for name, path in example.items()} or _random_inputs(each)
        each.prepare(inputs)
        each.set_inputs(inputs)
    turns = [_warm_up(each) for each in model]
    times: list[list[float]] = [[] for _ in model]
    for _ in range(rounds):
        for each, turn, taken in zip(model, turns, times, strict=True):
            taken.extend(_invoke(each) for _ in range(turn))
    return [_summary(file, taken, threads) for file, taken in zip(files, times, strict=True)]


def _warm_up(model: litert.LiteRTModel) -> int:
    """Runs a few times; returns how many invocations make up a turn."""
    fastest = min(_invoke(model) for _ in range(_WARM_UP))
    return int(np.clip(_SLICE_MS / max(fastest, 1e-6), 1, _MOST_PER_ROUND))


def _invoke(model: litert.LiteRTModel) -> float:
    """Milliseconds of one invocation."""
    start = time.perf_counter_ns()
    model.interpreter.invoke()
    return (time.perf_counter_ns() - start) / 1e6


def _random_inputs(model: litert.LiteRTModel) -> dict[str, Array]:
    random = np.random.default_rng(0)
    shapes = {name: tuple(int(size) for size in details["shape"]) for name, details in model.inputs.items()}
    # Integer inputs without a scale are ids, of which only 0 is sure to exist.
    ids = {n for n, d in model.inputs.items() if np.issubdtype(d["dtype"], np.integer) and d["quantization"][0] == 0}
    return {
        name: np.zeros(shape, np.int32) if name in ids else random.random(shape, dtype=np.float32)
        for name, shape in shapes.items()
    }


def _summary(file: str, taken: list[float], threads: int) -> dict[str, Any]:
    p10, median, p90 = (float(value) for value in np.percentile(taken, [10, 50, 90]))
    return {
        "name": Path(file).name,
        "bytes": Path(file).stat().st_size,
        "latency_ms": median,
        "latency_ms_p10": p10,
        "latency_ms_p90": p90,
        "invocations": len(taken),
        "threads": threads,
    }
