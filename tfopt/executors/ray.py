"""Trials as Ray tasks: on the cluster that RAY_ADDRESS names, or on one started here for the time of the sweep.

Runs lie in a folder that all machines of the cluster must see under the same path, and so does the store, unless the
sweep is given the URL of a shared one, which each machine reaches with its own fsspec configuration.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tfopt.core.contracts.events import Event, TrialEnded
from tfopt.errors import EnvironmentProblem, StageError
from tfopt.executors.base import Job, Message
from tfopt.executors.local import worker_environment

_VARIABLES = ("PYTHONPATH", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


class RayExecutor:
    """Runs up to `jobs` trials as Ray tasks; Ray decides where.

    Args:
        jobs: trials side by side.
        threads: processors that each task asks for.

    Raises:
        EnvironmentProblem: Ray is not installed.
        StageError: the cluster cannot be reached.
    """

    def __init__(self, jobs: int, threads: int) -> None:
        try:
            import ray
            from ray.util.queue import Queue
        except ImportError as error:
            raise EnvironmentProblem(
                "The executor 'ray' needs the package ray.", "pip install 'tfopt[ray]'", code="missing_package"
            ) from error
        self.jobs = jobs
        self.owns_ray = not ray.is_initialized()
        if self.owns_ray:
            try:
                ray.init(include_dashboard=False, log_to_driver=False, configure_logging=False)
            except ConnectionError as error:
                raise StageError(
                    f"Cannot reach the Ray cluster: {error}", "Check RAY_ADDRESS.", code="executor_failed"
                ) from error
        variables = worker_environment(threads)
        self.messages = Queue(actor_options={"num_cpus": 0})
        self.stops = ray.remote(_Stops).options(num_cpus=0).remote()
        self.task = ray.remote(_carry_out).options(
            num_cpus=threads,
            max_retries=0,
            runtime_env={"env_vars": {name: variables[name] for name in _VARIABLES}},
        )
        self.running: dict[str, Any] = {}

    def has_room(self) -> bool:
        """Fewer than `jobs` trials under way."""
        return len(self.running) < self.jobs

    def start(self, job: Job) -> None:
        """Hands the job to Ray."""
        self.stops.discard.remote(job.trial)
        self.running[job.trial] = self.task.remote(asdict(job), self.messages, self.stops)

    def stop(self, trial: str) -> None:
        """Stops the trial at its next event.

        Not by `ray.cancel`: it raises KeyboardInterrupt wherever the task is, and was seen to be lost while the task
        sent an event: the trial went on to its end.
        """
        if trial in self.running:
            self.stops.add.remote(trial)

    def next_message(self, seconds: float) -> Message | None:
        """The next message of any task; of one that died or never began, that its trial ended."""
        from ray.util.queue import Empty

        try:
            trial, event = self.messages.get(timeout=seconds)
        except Empty:
            return self._died()
        if event["event"] == "trial_ended":
            self.running.pop(trial, None)
        return Message(trial, event)

    def close(self) -> None:
        """Kills what still runs, and ends Ray where it was started here."""
        import ray

        if not ray.is_initialized():
            return
        for task in self.running.values():
            ray.cancel(task, force=True)
        self.running.clear()
        self.messages.shutdown(force=True)
        ray.kill(self.stops)
        if self.owns_ray:
            ray.shutdown()

    def _died(self) -> Message | None:
        import ray

        for trial, task in self.running.items():
            if not ray.wait([task], timeout=0)[0]:
                continue
            del self.running[trial]
            try:
                ray.get(task)
            except ray.exceptions.TaskCancelledError:
                return Message(trial, TrialEnded("stopped", None))
            except ray.exceptions.RayError as error:
                last = str(error).strip().splitlines()[0]
                return Message(
                    trial,
                    TrialEnded("failed", f"Its Ray task died: {last}", code="executor_failed", not_of_recipe=True),
                )
            return Message(
                trial,
                TrialEnded("failed", "Its Ray task ended without a word.", code="executor_failed", not_of_recipe=True),
            )
        return None


class _Stops:
    """An actor: the trials that the sweep stops."""

    def __init__(self) -> None:
        self._trials: set[str] = set()

    def add(self, trial: str) -> None:
        self._trials.add(trial)

    def discard(self, trial: str) -> None:
        self._trials.discard(trial)

    def has(self, trial: str) -> bool:
        return trial in self._trials


def _carry_out(job: dict[str, Any], messages: Any, stops: Any) -> None:
    """The task: runs in a process of Ray."""
    import ray

    from tfopt.executors.worker import carry_out

    def send(event: Event) -> None:
        messages.put((job["trial"], dict(event)))

    carry_out(job, send, lambda: bool(ray.get(stops.has.remote(job["trial"]))))
