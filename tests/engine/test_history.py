from __future__ import annotations

from typing import Any

from tfopt.core.contracts.events import EpochFinished, Warned
from tfopt.core.contracts.result import StageResult
from tfopt.engine.history import StageHistory


def test_epochs_are_kept_in_order_and_events_get_the_name_of_the_stage() -> None:
    told: list[Any] = []
    history = StageHistory("prune2", told.append)
    history.emit(EpochFinished("prune", {"epoch": 2, "loss": 0.1}))
    history.emit({"event": "epoch", "stage": "prune", "epoch": 1, "loss": 0.2})
    history.emit(Warned("careful"))
    assert history.entries() == [{"epoch": 1, "loss": 0.2}, {"epoch": 2, "loss": 0.1}]
    assert [event["stage"] for event in told] == ["prune2"] * 3


def test_what_a_stage_reports_is_one_event() -> None:
    told: list[Any] = []
    history = StageHistory("prune", told.append)
    history.report(StageResult(model=None))
    assert told == []
    history.report(StageResult(None, {"logits": "a rule says skip"}, details={"planned_curve": [[0, 0.0]]}))
    (event,) = told
    assert event == {
        "event": "details",
        "stage": "prune",
        "skipped": {"logits": "a rule says skip"},
        "planned_curve": [[0, 0.0]],
    }
