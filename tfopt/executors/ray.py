"""Trials as Ray tasks: on the cluster that RAY_ADDRESS names, or on one started here for the time of the sweep.

Runs are in a folder that all machines of the cluster must see under the same path, and so does the store, unless the
sweep is given the URL of a shared one, which each machine reaches with its own fsspec configuration. A trial whose node
is lost starts on another node: finished stages come from the store, the one under way resumes from its checkpoint.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import Any

from tfopt.core.contracts.events import Event, TrialEnded, TrialPlaced, plain
from tfopt.core.contracts.resources import DEFAULT_RESOURCES, Resources
from tfopt.core.language.wording import counted
from tfopt.errors import EnvironmentProblem, StageError
from tfopt.executors.base import Job, Message
from tfopt.executors.local import worker_environment

_VARIABLES = ("PYTHONPATH", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")

_PLACED = TrialPlaced.event


class RayExecutor:
    """Runs trials as Ray tasks; Ray decides where.

    Args:
        jobs: trials side by side; None for as many as the nodes have resources for.
        num_trials: trials that there are: processors are shared among no more than these.
        resources: what each trial asks for.

    Raises:
        EnvironmentProblem: Ray is not installed.
        StageError: the cluster cannot be reached, or none of its nodes has what a trial asks for.
    """

    def __init__(self, jobs: int | None, num_trials: int, resources: Resources = DEFAULT_RESOURCES) -> None:
        try:
            import ray
            from ray.util.queue import Queue
            from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
        except ImportError as error:
            raise EnvironmentProblem(
                "The executor 'ray' needs the package ray.", "pip install 'tfopt[ray]'", code="missing_package"
            ) from error
        self.owns_ray = not ray.is_initialized()
        if self.owns_ray:
            try:
                ray.init(include_dashboard=False, log_to_driver=False, configure_logging=False)
            except (ConnectionError, ValueError) as error:
                raise StageError(
                    f"Cannot reach the Ray cluster: {error}", "Check RAY_ADDRESS.", code="executor_failed"
                ) from error
        try:
            self.resources = _with_share_of_processors(resources, jobs, num_trials)
        except StageError:
            if self.owns_ray:
                ray.shutdown()
            raise
        self.jobs = jobs
        # What the sweep itself relies on must not be lost with a node.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self.messages = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})
        self.stops = ray.remote(_Stops).options(num_cpus=0, scheduling_strategy=here).remote()
        variables = worker_environment(self.resources.cpus or 1)
        self.task = ray.remote(_carry_out).options(
            num_cpus=self.resources.cpus,
            num_gpus=self.resources.gpus,
            max_retries=0,
            scheduling_strategy="SPREAD" if resources.placement == "spread" else "DEFAULT",
            runtime_env={"env_vars": {name: variables[name] for name in _VARIABLES}},
        )
        self.running: dict[str, object] = {}
        self.nodes: dict[str, str] = {}
        self.attempts: Counter[str] = Counter()
        self.losses: Counter[str] = Counter()

    def has_room(self) -> bool:
        """Whether fewer trials are under way than asked for, and than the nodes that are alive can hold."""
        if not self.running:
            return True  # where all nodes are lost, Ray waits for another
        if self.jobs is not None and len(self.running) >= self.jobs:
            return False
        return len(self.running) < sum(self.resources.trials_on(cpus, gpus) for cpus, gpus in _nodes().values())

    def start(self, job: Job) -> None:
        """Hands the job to Ray."""
        self.stops.discard.remote(job.trial)
        self.attempts[job.trial] += 1
        attempt = self.attempts[job.trial]
        self.running[job.trial] = self.task.remote(asdict(job), attempt, self.messages, self.stops)

    def stop(self, trial: str) -> None:
        """Stops the trial at its next event.

        Not by `ray.cancel`: it raises KeyboardInterrupt wherever the task is, and was seen to be lost while the task
        sent an event: the trial went on to its end.
        """
        if trial in self.running:
            self.stops.add.remote(trial)

    def next_message(self, seconds: float) -> Message | None:
        """The next message of any task; of one that crashed or never began, that its trial ended."""
        from ray.util.queue import Empty

        try:
            trial, attempt, event = self.messages.get(timeout=seconds)
        except Empty:
            return self._died()
        if attempt != self.attempts[trial] or trial not in self.running:
            return None  # of a node that was taken for lost and was only out of reach
        if event["event"] == _PLACED:
            self.nodes[trial] = event["node"]
            event = TrialPlaced(_address(event["node"]))
        if event["event"] == TrialEnded.event:
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
            if not self.messages.empty():
                return None  # its last message came in the meantime
            del self.running[trial]
            node = self.nodes.pop(trial, None)
            try:
                ray.get(task)
            except ray.exceptions.TaskCancelledError:
                return Message(trial, TrialEnded("stopped", None))
            except ray.exceptions.RayError as error:
                if isinstance(error, ray.exceptions.NodeDiedError) or (node is not None and node not in _nodes()):
                    return Message(trial, self._lost(trial, node))
                last = str(error).strip().splitlines()[0]
                return Message(
                    trial,
                    TrialEnded("failed", f"Its Ray task crashed: {last}", code="executor_failed", not_of_recipe=True),
                )
            return Message(
                trial,
                TrialEnded("failed", "Its Ray task ended without a word.", code="executor_failed", not_of_recipe=True),
            )
        return None

    def _lost(self, trial: str, node: str | None) -> TrialEnded:
        self.losses[trial] += 1
        losses, retries = self.losses[trial], self.resources.retries
        where = "" if node is None else f" {_address(node)}"
        error = f"Its node{where} was lost ({counted(losses, 'lost node')}, {counted(retries, 'retry', 'retries')})."
        return TrialEnded("lost" if losses <= retries else "failed", error, code="node_lost")


def _nodes() -> dict[str, tuple[float, float]]:
    """Processors and GPUs of the nodes that are alive, by node id."""
    import ray

    return {
        node["NodeID"]: (node["Resources"].get("CPU", 0.0), node["Resources"].get("GPU", 0.0))
        for node in ray.nodes()
        if node["Alive"]
    }


def _address(node_id: str) -> str:
    """What people call a node; several nodes can be on one machine."""
    import ray

    address = next((node["NodeManagerAddress"] for node in ray.nodes() if node["NodeID"] == node_id), "")
    return f"{address} ({node_id[:8]})".strip()


def _with_share_of_processors(resources: Resources, jobs: int | None, num_trials: int) -> Resources:
    """The resources of each trial; by default the most processors with which as many run at a time as with one each.

    Raises:
        StageError: no node has what a trial asks for.
    """
    nodes = _nodes().values()

    def at_a_time(cpus: int) -> int:
        return sum(replace(resources, cpus=cpus).trials_on(*node) for node in nodes)

    if resources.cpus is None:
        wanted = max(1, min(jobs or at_a_time(1), num_trials, at_a_time(1)))
        largest = int(max((cpus for cpus, _ in nodes), default=0.0))
        share = next((cpus for cpus in range(largest, 1, -1) if at_a_time(cpus) >= wanted), 1)
        resources = replace(resources, cpus=share)
    if not any(resources.trials_on(cpus, gpus) for cpus, gpus in nodes):
        found = sorted(set(nodes), reverse=True)
        offered = "; ".join(f"{counted(cpus, 'processor')} and {counted(gpus, 'GPU')}" for cpus, gpus in found)
        asked = f"{resources.gpus:g} of a GPU" if 0 < resources.gpus < 1 else counted(resources.gpus, "GPU")
        raise StageError(
            f"No node of the Ray cluster has the {counted(resources.cpus or 1, 'processor')} and {asked} that each "
            f"trial asks for. Its nodes have: {offered or 'none'}.",
            "Lower --cpus-per-trial or --gpus-per-trial, or start a node that has them.",
            code="executor_failed",
        )
    return resources


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


def _carry_out(job: dict[str, Any], attempt: int, messages: Any, stops: Any) -> None:
    """The task: runs in a process of Ray."""
    import ray

    from tfopt.executors.worker import carry_out

    def send(event: Event) -> None:
        messages.put((job["trial"], attempt, plain(event)))

    send(TrialPlaced(ray.get_runtime_context().get_node_id()))
    carry_out(job, send, lambda: bool(ray.get(stops.has.remote(job["trial"]))))
