"""Selection of the executor of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tfopt.core.contracts.resources import DEFAULT_RESOURCES, Resources
from tfopt.errors import UsageError
from tfopt.executors.base import Executor
from tfopt.io.system.environment import available_threads

ExecutorName = Literal["local", "ray"]

_MOST_BY_DEFAULT = 8
"""Each worker holds TensorFlow and its data: more in parallel must be requested."""


def start_executor(
    name: ExecutorName, jobs: int | None, num_trials: int, folder: Path, resources: Resources | None = None
) -> Executor:
    """An executor with its processors split evenly over its jobs.

    Args:
        name: `local` or `ray`.
        jobs: trials side by side; by default one per processor, on this machine at most 8.
        num_trials: trials of the sweep.
        folder: the sweep's folder; logs go there.
        resources: what each trial asks of a cluster.

    Raises:
        UsageError: there is no such executor, less than one job, or resources without a cluster.
        EnvironmentProblem: its package is missing.
        StageError: the cluster cannot be reached, or none of its nodes has the resources.
    """
    if jobs is not None and jobs < 1:
        raise UsageError(f"A sweep needs at least one job. Got {jobs}.", code="usage")
    if name == "ray":
        from tfopt.executors.ray import RayExecutor

        return RayExecutor(jobs, num_trials, resources or DEFAULT_RESOURCES)
    if name != "local":
        raise UsageError(f"There is no executor {name!r}. Executors: local, ray.", code="unknown_executor")
    if resources is not None:
        raise UsageError(
            "--cpus-per-trial, --gpus-per-trial, --placement and --retries are for a cluster.",
            "Add --executor ray, or leave them out.",
            code="usage",
        )
    from tfopt.executors.local import LocalExecutor

    threads = available_threads()
    side_by_side = min(jobs or min(threads, _MOST_BY_DEFAULT), max(num_trials, 1))
    return LocalExecutor(side_by_side, max(1, threads // side_by_side), folder / "logs")
