"""Loading a file and its first call, each time in a process that has not seen the file: cold start, peak memory."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.types import Array

_REPEATS = 3
_MOST_SECONDS = 120
_PR_SET_PDEATHSIG = 1
_STATUS = Path("/proc/self/status")


def fresh_start(path: str, threads: int, kernels: litert.Kernels, example: Mapping[str, Array]) -> dict[str, float]:
    """Loads a file and calls it once, in processes that are forked for it; medians.

    Call it before this process opens any file: a fork copies one thread only, and an interpreter has several.

    Args:
        path: a `.tflite` file.
        threads: threads that kernels may use.
        kernels: which implementations run.
        example: one example per input name; empty for random numbers.

    Returns:
        `cold_start_ms`: opening, allocating and the first call; LiteRT itself is loaded, and the file is in the cache
        of the operating system. `peak_memory`: bytes by which the resident memory grew at most: pages of the
        file, arena, and what the kernels pack, without the code of LiteRT. What this system cannot tell is left out.

    Raises:
        RuntimeError: the forked process ended without a result.
    """
    if not hasattr(os, "fork"):
        return {}
    found = [_forked(path, threads, kernels, example) for _ in range(_REPEATS)]
    return {
        name: type(found[0][name])(np.median([one[name] for one in found]))
        for name in found[0]
        if all(name in one for one in found)
    }


def _forked(path: str, threads: int, kernels: litert.Kernels, example: Mapping[str, Array]) -> dict[str, float]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            die_with_parent(_MOST_SECONDS)
            os.write(writing, json.dumps(_attempt(path, threads, kernels, example)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    _, status = os.waitpid(child, 0)
    what = f"{Path(path).name}: loading it and the first call on the {kernels} kernels"
    if not content:
        code = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGALRM:
            raise RuntimeError(f"{what} took longer than {_MOST_SECONDS} s")
        raise RuntimeError(f"{what} ended with {signal.Signals(-code).name if code < 0 else f'exit code {code}'}")
    result: dict[str, float] = json.loads(content)
    if "error" in result:
        raise RuntimeError(f"{what} failed: {result['error']}")
    return result


def _attempt(
    path: str, threads: int, kernels: litert.Kernels, example: Mapping[str, Array]
) -> Mapping[str, float | str]:
    try:
        return _first_call(path, threads, kernels, example)
    except Exception as error:  # noqa: BLE001 the edge of a process: every error must cross it as a message
        return {"error": " ".join(str(error).split()) or type(error).__name__}


def die_with_parent(seconds: int) -> None:
    """Lets this process end when its parent is killed, and in any case after some seconds: a file may never end."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _first_call(path: str, threads: int, kernels: litert.Kernels, example: Mapping[str, Array]) -> dict[str, float]:
    found: dict[str, float] = {"cold_start_ms": _load_and_call(path, threads, kernels, example)}
    # Code of LiteRT that the first call brought into memory is not the file's: that of a second one counts.
    before = settled_memory()
    if before is not None:
        _load_and_call(path, threads, kernels, example)
        found["peak_memory"] = max((memory_of("VmHWM") or 0) - before, 0)
    return found


def _load_and_call(path: str, threads: int, kernels: litert.Kernels, example: Mapping[str, Array]) -> float:
    """Milliseconds of opening, allocating and one call."""
    start = time.perf_counter_ns()
    model = litert.open_file(path, threads, kernels)
    opened = time.perf_counter_ns() - start
    inputs = example or litert.random_inputs(model)
    start = time.perf_counter_ns()
    model.prepare(inputs)
    model.set_inputs(inputs)
    model.interpreter.invoke()
    return (opened + time.perf_counter_ns() - start) / 1e6


def settled_memory() -> int | None:
    """Resident memory after what was freed is given back, with the record of its peak reset; None where unknown."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except (OSError, AttributeError):  # a different system, or a C library without it
        return None
    return memory_of("VmRSS")


def memory_of(field: str) -> int | None:
    """A value of this process's memory in bytes; None where the system does not say."""
    match = re.search(rf"^{field}:\s+(\d+) kB", _STATUS.read_text(encoding="ascii", errors="replace"), re.MULTILINE)
    return None if match is None else int(match[1]) * 1024
