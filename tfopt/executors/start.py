"""Selection of the executor of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tfopt.errors import UsageError
from tfopt.executors.base import Executor
from tfopt.io.system.environment import available_threads

ExecutorName = Literal["local", "ray"]

_MOST_BY_DEFAULT = 8
"""Each worker holds TensorFlow and its data: more in parallel must be requested."""


def start_executor(name: ExecutorName, jobs: int | None, num_trials: int, folder: Path) -> Executor:
    """An executor with this machine's threads split evenly over its jobs.

    Args:
        name: `local` or `ray`.
        jobs: trials side by side; by default one per processor, at most 8.
        num_trials: trials of the sweep.
        folder: the sweep's folder; logs go there.

    Raises:
        UsageError: there is no such executor, or less than one job.
        EnvironmentProblem: its package is missing.
    """
    if jobs is not None and jobs < 1:
        raise UsageError(f"A sweep needs at least one job. Got {jobs}.", code="usage")
    threads = available_threads()
    side_by_side = min(jobs or min(threads, _MOST_BY_DEFAULT), max(num_trials, 1))
    share = max(1, threads // side_by_side)
    if name == "ray":
        from tfopt.executors.ray import RayExecutor

        return RayExecutor(side_by_side, share)
    if name == "local":
        from tfopt.executors.local import LocalExecutor

        return LocalExecutor(side_by_side, share, folder / "logs")
    raise UsageError(f"There is no executor {name!r}. Executors: local, ray.", code="unknown_executor")
