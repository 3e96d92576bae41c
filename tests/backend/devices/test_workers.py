"""Which worker leads, and what it does alone."""

from __future__ import annotations

import pytest

from tfopt.backend.devices import workers
from tfopt.errors import StageError

pytestmark = pytest.mark.tf


def test_a_worker_alone_agrees_with_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_team", None)
    workers.join(workers.Team(1, 2))
    assert (workers.leads(), workers.several()) == (False, True)
    with workers.alone():
        assert (workers.leads(), workers.several()) == (True, False)
        assert workers.agree("alone") == "alone"
    assert workers.describe() == "worker 1 of 2"


@pytest.mark.parametrize(
    ("size", "message", "lost"),
    [
        (3, "Task error:\n/job:worker/replica:0/task:2", "worker 2 of TF_CONFIG is gone"),
        (2, "The error could be from a previous operation.", "the other one (worker 0) is gone"),
        (3, "Connection reset.", "one of them is gone: Connection reset"),
    ],
)
def test_who_is_gone(monkeypatch: pytest.MonkeyPatch, size: int, message: str, lost: str) -> None:
    import tensorflow as tf

    monkeypatch.setattr(workers, "_team", workers.Team(1, size))
    with pytest.raises(StageError) as found, workers.not_alone():
        raise tf.errors.InternalError(None, None, message)
    assert found.value.message == f"worker 1 of {size} trains with others, and {lost}."
