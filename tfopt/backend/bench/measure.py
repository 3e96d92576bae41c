"""Everything that `tfopt bench` measures of files on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tfopt.backend.bench.operator_times import operator_times
from tfopt.backend.tflite import benchmark
from tfopt.backend.tflite.benchmark import BenchRow
from tfopt.backend.tflite.child_process import ProcessCrashed, ProcessFailed
from tfopt.backend.tflite.interpreter import Kernels


def measure(
    files: Sequence[Path],
    threads: Sequence[int] = (1,),
    kernels: Sequence[Kernels] = ("default",),
    rounds: int = 50,
    *,
    operators: bool = False,
) -> list[BenchRow]:
    """Latency, cold start and memory of files, all measured in turns; of each, with all kernels and numbers of threads.

    Args:
        files: `.tflite` files.
        threads: numbers of threads.
        kernels: which implementations run.
        rounds: how many turns each has.
        operators: also times each operator of each file.

    Returns:
        The rows of `tfopt.backend.tflite.benchmark.bench`; with `operators`, a list of
        `tfopt.backend.bench.operator_times.OperatorTime` as mappings, or an empty one and `operators_error`. A file
        that some kernels cannot run has a row with `error` in place of the measures, and what remains is measured each
        alone.

    Raises:
        ExportError: a file is malformed, or nothing could be measured.
    """
    try:
        rows = benchmark.bench(files, threads, rounds, kernels=kernels)
    except (ProcessCrashed, ProcessFailed) as error:
        if len(files) * len(threads) * len(kernels) == 1:
            raise
        rows = [_alone(file, number, kind, rounds) for file in files for kind in kernels for number in threads]
        if all("error" in row for row in rows):
            raise error
    if operators:
        by_name = [file for file in files for _ in kernels for _ in threads]
        for row, file in zip(rows, by_name, strict=True):
            if "error" not in row:
                row |= _operators(file, row["threads"], row["kernels"])
    return rows


def _operators(file: Path, threads: int, kernels: Kernels) -> BenchRow:
    try:
        return {"operators": [asdict(one) for one in operator_times(file, threads, kernels)]}
    except (ProcessCrashed, ProcessFailed) as error:
        return {"operators": [], "operators_error": error.message}


def _alone(file: Path, threads: int, kernels: Kernels, rounds: int) -> BenchRow:
    try:
        return benchmark.bench([file], threads, rounds, kernels=[kernels])[0]
    except (ProcessCrashed, ProcessFailed) as error:
        size = file.stat().st_size
        return {"name": file.name, "bytes": size, "kernels": kernels, "threads": threads, "error": error.message}
