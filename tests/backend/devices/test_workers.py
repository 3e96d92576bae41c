"""Which worker leads, and what it does alone."""

from __future__ import annotations

import pytest

from tfopt.backend.devices import workers

pytestmark = pytest.mark.tf


def test_a_worker_alone_agrees_with_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_team", None)
    workers.join(workers.Team(1, 2))
    assert (workers.leads(), workers.several()) == (False, True)
    with workers.alone():
        assert (workers.leads(), workers.several()) == (True, False)
        assert workers.agree("alone") == "alone"
    assert workers.describe() == "worker 1 of 2"
