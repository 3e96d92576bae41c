"""TensorFlow's coordination service: workers find each other, agree on values, and notice when one is gone."""

from __future__ import annotations

from collections.abc import Mapping

from tensorflow.python.eager import context
from tensorflow.python.eager.context import coordination_config_pb2

__all__ = ["configure", "drop", "get", "put", "started"]


def configure(jobs: Mapping[str, int], leader: str, *, wait: float, heartbeat: float, shutdown: float) -> None:
    """Sets the service up, before TensorFlow does anything else.

    Args:
        jobs: number of tasks of each job.
        leader: the task that runs the service.
        wait: seconds in which all tasks must have come.
        heartbeat: seconds without a sign of a task after which it counts as gone.
        shutdown: seconds that a task which ends waits for the others.
    """
    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader=leader,
        cluster_register_timeout_in_ms=round(1000 * wait),
        heartbeat_timeout_in_ms=round(1000 * heartbeat),
        shutdown_barrier_timeout_in_ms=round(1000 * shutdown),
        coordinated_jobs=[
            coordination_config_pb2.CoordinatedJob(name=name, num_tasks=tasks) for name, tasks in jobs.items()
        ],
    )


def started() -> bool:
    """Whether TensorFlow is at work in this process already, so that it is too late to configure anything."""
    return bool(context.context()._initialized)


def put(key: str, value: str) -> None:
    """Gives a value to all tasks, under a key that was never used."""
    context.context().set_config_key_value(key, value)


def get(key: str, seconds: float) -> str:
    """The value of a key; waits for it.

    Raises:
        tf.errors.OpError: it does not come in time, or the service is gone.
    """
    return str(context.context().get_config_key_value(key, round(1000 * seconds)))


def drop(key: str) -> None:
    """Forgets a key."""
    context.context().delete_config_key_value(key)
