"""How fast generative files are on this machine, and how much memory they take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from tfopt.backend.decoding.model import GenerativeModel
from tfopt.backend.tflite import child_process
from tfopt.backend.tflite.fresh_start import memory_of, settled_memory
from tfopt.backend.tflite.limits import Limits

_SECONDS = 600
_MEMORY = 8 << 30
_SLICE = 0.02
"""Seconds that a file decodes in a turn."""
_LONGEST_PROMPT = 32
_LEAST = 4
"""Tokens in a turn, at least."""


def speeds(files: Sequence[Path], threads: int = 1, rounds: int = 15) -> list[dict[str, float]]:
    """Times generative files against each other, in a child process; they take turns in every round.

    Args:
        files: `.tflite` files with `prefill_N` and `decode`.
        threads: that kernels may use.
        rounds: how many turns each file has.

    Returns:
        Per file, medians of the rounds: `decode_tokens_per_second` (with the choice of the most probable token),
        `prefill_tokens_per_second` (of the largest bucket), `time_to_first_token` (milliseconds, file open, after a
        prompt of `prompt_tokens`), `cache_bytes`, and `peak_memory`: bytes by which the memory of a process grew that
        opened the file and generated; left out where the system does not say.

    Raises:
        ExportError: a file is malformed or not generative.
        ProcessCrashed: LiteRT crashed on a file.
        ProcessFailed: LiteRT refused a file.
    """
    sizes = sum(file.stat().st_size for file in files)
    limits = Limits(seconds=_SECONDS, memory=_MEMORY + 16 * sizes)
    arguments = {"files": [str(file) for file in files], "threads": threads, "rounds": rounds}
    timed: list[dict[str, float]] = child_process.call("tfopt.backend.decoding.speed:time_files", arguments, limits)
    for file, one in zip(files, timed, strict=True):
        call = "tfopt.backend.decoding.speed:peak_memory"
        peak = child_process.call(call, {"file": str(file), "threads": threads}, limits)
        if peak is not None:
            one["peak_memory"] = peak
    return timed


def time_files(files: list[str], threads: int, rounds: int) -> list[dict[str, float]]:
    """Runs in the child process of `speeds`."""
    turns = [_Turns(GenerativeModel(Path(file), threads)) for file in files]
    for _ in range(rounds):
        for each in turns:
            each.take()
    return [each.summary() for each in turns]


def peak_memory(file: str, threads: int) -> int | None:
    """Runs in a child process: bytes by which its memory grows at most while a text is begun; None where unknown."""
    # What LiteRT itself loads at its first use is not the file's: the second use counts.
    _begin(file, threads)
    before = settled_memory()
    if before is None:
        return None
    _begin(file, threads)
    return max((memory_of("VmHWM") or 0) - before, 0)


def _begin(file: str, threads: int) -> None:
    model = GenerativeModel(Path(file), threads)
    memory = model.prefill(model.empty(), _prompt(model)[:-1])
    for _ in range(_LEAST):
        if model.context is not None and memory.length >= model.context:
            break
        memory = model.decode(memory, 1)[1]


def _prompt(model: GenerativeModel) -> list[int]:
    longest = _LONGEST_PROMPT if model.context is None else min(_LONGEST_PROMPT, max(1, model.context // 2))
    return [index % model.signatures.vocabulary for index in range(longest)]


class _Turns:
    """The times of one file."""

    def __init__(self, model: GenerativeModel) -> None:
        self.model = model
        self.prompt = _prompt(model)
        self.bucket = max(model.signatures.prefill.values(), default=0)
        self.decode: list[float] = []
        self.prefill: list[float] = []
        self.first: list[float] = []

    def take(self) -> None:
        model = self.model
        if self.bucket:
            tokens = (self.prompt * self.bucket)[: self.bucket]
            self.prefill.append(_seconds(lambda: model.prefill(model.empty(), tokens)) / self.bucket)

        def first() -> None:
            memory = model.prefill(model.empty(), self.prompt[:-1])
            int(np.argmax(model.decode(memory, self.prompt[-1])[0]))

        self.first.append(_seconds(first))
        memory = model.prefill(model.empty(), self.prompt[:-1])
        token, begun, count = self.prompt[-1], perf_counter(), 0
        while model.context is None or memory.length < model.context:
            logits, memory = model.decode(memory, token)
            token = int(np.argmax(logits))
            count += 1
            if count >= _LEAST and perf_counter() - begun > _SLICE:
                break
        self.decode.append((perf_counter() - begun) / count)

    def summary(self) -> dict[str, float]:
        return {
            "decode_tokens_per_second": 1 / float(np.median(self.decode)),
            **({"prefill_tokens_per_second": 1 / float(np.median(self.prefill))} if self.prefill else {}),
            "time_to_first_token": 1000 * float(np.median(self.first)),
            "prompt_tokens": len(self.prompt),
            "cache_bytes": self.model.signatures.cache_bytes,
        }


def _seconds(call: Callable[[], object]) -> float:
    begun = perf_counter()
    call()
    return perf_counter() - begun
