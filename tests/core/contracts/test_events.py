"""Events: typed inside, mappings for receivers and in `events.jsonl`."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields

import pytest

from tfopt.core.contracts import events
from tfopt.core.contracts.events import EpochFinished, RunEvent, StepProgress, TrialFinished, plain

KINDS = [one for one in vars(events).values() if isinstance(one, type) and issubclass(one, RunEvent)]


def test_every_event_is_frozen_and_has_a_name_of_its_own() -> None:
    kinds = [kind for kind in KINDS if kind is not RunEvent]
    assert len({kind.event for kind in kinds}) == len(kinds)
    event = TrialFinished("a", "done", None)
    with pytest.raises(FrozenInstanceError):
        event.trial = "b"  # type: ignore[misc]


def test_an_event_is_a_mapping_of_its_keys() -> None:
    event = TrialFinished("a", "failed", None)
    assert event == {"event": "trial_finished", "trial": "a", "state": "failed", "error": None}
    assert event["event"] == "trial_finished"
    assert event.get("source") is None
    assert json.loads(json.dumps(plain(event))) == event
    assert {**event, "trial": "b"}["trial"] == "b"


def test_entries_of_an_epoch_are_keys_and_absent_keys_are_left_out() -> None:
    assert plain(EpochFinished("train", {"epoch": 1, "loss": 0.5})) == {
        "event": "epoch",
        "stage": "train",
        "epoch": 1,
        "loss": 0.5,
    }
    assert EpochFinished("train", {"epoch": 1}, cached=True)["cached"] is True
    progress = StepProgress("train", 1, 2, 1, 1, {"loss": 0.5})
    assert "sparsity" not in progress
    assert set(progress) == {"event", *(key.name for key in fields(progress))} - {"sparsity"}


def test_a_mapping_from_another_process_is_copied() -> None:
    event = {"event": "progress", "stage": "train"}
    assert plain(event) == event
    assert plain(event) is not event
