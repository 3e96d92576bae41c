"""What runs right now, from the events of a run or a sweep."""

from __future__ import annotations

import pytest

from tests.support.events import EVENTS
from tfopt.report.live.progress import LiveProgress


def test_a_bar_follows_the_run() -> None:
    progress = LiveProgress()
    assert progress.bars[0].doing == "loading TensorFlow, data and model"
    seen = {}
    for seconds, event in enumerate(EVENTS):
        progress.update(event, float(seconds))
        seen[event["event"], event.get("step")] = progress.bars
    (bar,) = seen["progress", 13]
    assert (bar.name, bar.done) == ("prune", pytest.approx(13 / 40))
    assert bar.doing == "epoch 1/2  sparsity 45.2%  accuracy 97.1%  loss 0.25"
    (writing,) = seen["export_started", None]
    assert (writing.name, writing.done) == ("int8", None)
    assert progress.bars == ()
    assert progress.lines[0] == "digits  1"
    assert progress.lines[-1] == "warning: conv is small."


def test_the_time_left_counts_from_the_first_step_seen() -> None:
    progress = LiveProgress()
    progress.update(
        {"event": "stage_started", "stage": "train", "kind": "train", "epochs": 2, "steps": 100, "cached": False}, 0
    )
    event = {"event": "progress", "stage": "train", "steps": 100, "epoch": 1, "epochs": 2, "metrics": {}}
    progress.update({**event, "step": 50}, 20.0)
    assert progress.bars[0].seconds_left is None
    progress.update({**event, "step": 75}, 30.0)
    assert progress.bars[0].seconds_left == pytest.approx(10.0)


def test_a_sweep_has_a_bar_per_running_trial() -> None:
    progress = LiveProgress()
    for event in (
        {
            "event": "sweep_started",
            "sweep": "s",
            "recipe": "digits",
            "trials": ["a", "b", "c"],
            "settled": ["c"],
            "metric": "accuracy",
        },
        {"event": "trial_started", "trial": "a"},
        {"event": "trial_started", "trial": "b"},
        *({**event, "trial": "a"} for event in EVENTS),
        {"event": "trial_finished", "trial": "a", "state": "done", "error": None},
    ):
        progress.update(event, 0.0)
    assert progress.overall is not None
    assert progress.overall.doing == "2 of 3"
    assert [bar.name for bar in progress.bars] == ["b"]
    assert progress.lines[-1] == "[2/3] a  done  int8: accuracy 97.8%  accuracy_drop 0.5%"
    progress.update({"event": "trial_finished", "trial": "b", "state": "failed", "error": "no memory"}, 0.0)
    progress.update({"event": "sweep_finished", "sweep": "s", "states": {}}, 0.0)
    assert progress.overall is None
    assert progress.lines[-1] == "[3/3] b  failed  no memory"


def test_a_reused_trial_names_its_run() -> None:
    progress = LiveProgress()
    for event in (
        {
            "event": "sweep_started",
            "sweep": "s",
            "recipe": "digits",
            "trials": ["a"],
            "settled": [],
            "metric": "accuracy",
        },
        {"event": "trial_started", "trial": "a"},
        {"event": "run_reused", "trial": "a", "run": "1"},
        {"event": "trial_finished", "trial": "a", "state": "done", "error": None},
    ):
        progress.update(event, 0.0)
    assert progress.lines[-1] == "[1/1] a  done  nothing has changed since run 1"
