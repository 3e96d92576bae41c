from __future__ import annotations

from pathlib import Path

from tests.support.errors import refused
from tfopt.errors import StoreError
from tfopt.io.runs.journal import Journal, read_events


def test_events_are_kept_in_order_and_progress_is_not(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with Journal(path) as journal:
        journal.append({"event": "stage_started", "stage": "train"})
        journal.append({"event": "progress", "step": 1})
        journal.append({"event": "epoch", "epoch": 1})
    events = read_events(path)
    assert [event["event"] for event in events] == ["stage_started", "epoch"]
    assert all("time" in event for event in events)


def test_a_last_line_cut_off_by_a_crash_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"event": "epoch"}\n{"event": "ep')
    assert read_events(path) == [{"event": "epoch"}]


def test_a_journal_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with refused(StoreError, "cannot_write"):
        Journal(tmp_path / "missing" / "events.jsonl")
