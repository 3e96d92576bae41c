"""Several processes that train together: which one leads, and how all decide the same.

The first worker leads: it alone writes checkpoints, store and files, and what depends on its clock, or on what it finds
in its store, it announces to the others. Without several workers, a process leads and agrees with itself.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import tensorflow as tf

from tfopt.backend.compat import tensorflow_cluster
from tfopt.errors import StageError

_PATIENCE = 5.0
"""Seconds after which a worker that waits looks whether the others are still there."""
_GONE = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
)


@dataclass
class Team:
    """The workers that this process trains with.

    Args:
        index: of this process.
        size: how many there are.
        agreed: on how many values they have agreed.
    """

    index: int
    size: int
    agreed: int = field(default=0)


_team: Team | None = None


def join(team: Team) -> None:
    """Makes this process one of several."""
    global _team
    _team = team


def leads() -> bool:
    """Whether this process writes what all have made."""
    return _team is None or _team.index == 0


def several() -> bool:
    """Whether this process trains with others."""
    return _team is not None


@contextmanager
def alone() -> Iterator[None]:
    """Work of this process that the others do not do with it: it agrees with itself."""
    global _team
    before, _team = _team, None
    try:
        yield
    finally:
        _team = before


def describe() -> str:
    """Which worker this is."""
    return "the only process" if _team is None else f"worker {_team.index} of {_team.size}"


def agree(value: str) -> str:
    """The value of the worker that leads; all must call it in the same order.

    Raises:
        StageError: another worker is gone.
    """
    if _team is None:
        return value
    _team.agreed += 1
    key = f"tfopt/{_team.agreed}"
    with not_alone():
        if _team.index == 0:
            tensorflow_cluster.put(key, value)
            return value
        return _wait_for(key)


def agree_in_training(value: int) -> int:
    """As `agree`, between two calls of training steps: all have met since the last but three, which are forgotten."""
    if _team is None:
        return value
    agreed = int(agree(str(int(value))))
    if _team.index == 0:
        tensorflow_cluster.drop(f"tfopt/{_team.agreed - 4}")
    return agreed


def _wait_for(key: str) -> str:
    while True:
        begun = time.monotonic()
        try:
            return tensorflow_cluster.get(key, _PATIENCE)
        except (tf.errors.DeadlineExceededError, tf.errors.NotFoundError):
            if time.monotonic() - begun < _PATIENCE / 2:
                raise  # it did not wait: the service itself is gone


@contextmanager
def not_alone() -> Iterator[None]:
    """Says in one sentence what TensorFlow's errors mean when a worker is gone.

    Raises:
        StageError: another worker is gone.
    """
    try:
        yield
    except _GONE as error:
        if _team is None:
            raise
        raise StageError(
            f"{describe()} trains with others, and {_lost(error, _team)}.",
            "Start the same command again on every machine: the run resumes from its last checkpoint.",
            code="worker_lost",
        ) from error


def _lost(error: tf.errors.OpError, team: Team) -> str:
    """Which task of TF_CONFIG is gone, from what TensorFlow says about it, which is not always which."""
    message = str(error.message)
    tasks = re.findall(r"/job:(\w+)/replica:\d+/task:(\d+)\s*(?:\n|$)", message)
    if tasks:
        job, index = tasks[0]
        return f"{job} {index} of TF_CONFIG is gone"
    if team.size == 2:
        return f"the other one (worker {1 - team.index}) is gone"
    lines = [line.strip() for line in message.splitlines() if line.strip()] or [type(error).__name__]
    return f"one of them is gone: {lines[-1][:200].rstrip('.')}"
