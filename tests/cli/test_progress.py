"""Progress: a line for whatever is finished, a bar for whatever runs."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from tfopt.cli.progress import Live, live_progress, progress
from tfopt.report.live.lines import Lines, metrics_text

EVENTS: list[dict[str, Any]] = [
    {"event": "run_started", "run": "1", "recipe": "digits", "stages": ["train", "prune"], "exports": ["int8"]},
    {"event": "stage_started", "stage": "train", "kind": "train", "epochs": 2, "steps": 40, "cached": True},
    {"event": "epoch", "stage": "train", "epoch": 1, "step": 20, "cached": True},
    {"event": "stage_finished", "stage": "train", "seconds": 3.0, "measures": {"loss": 0.1, "accuracy": 0.98},
     "cached": True},
    {"event": "stage_started", "stage": "prune", "kind": "prune", "epochs": 2, "steps": 40, "cached": False},
    {"event": "progress", "stage": "prune", "step": 13, "steps": 40, "epoch": 1, "epochs": 2,
     "metrics": {"loss": 0.25, "accuracy": 0.971}, "sparsity": 0.452},
    {"event": "epoch", "stage": "prune", "epoch": 1, "step": 20},
    {"event": "epoch", "stage": "prune", "epoch": 2, "step": 40},
    {"event": "details", "stage": "prune", "skipped": {"logits": "a rule says skip"}},
    {"event": "stage_finished", "stage": "prune", "seconds": 12.0,
     "measures": {"accuracy": 0.9806, "loss": 0.0746, "sparsity": 0.7991}, "cached": False},
    {"event": "export_started", "export": "int8"},
    {"event": "export_finished", "export": "int8", "bytes": 43_560, "held": False,
     "measures": {"accuracy": 0.9778, "accuracy_drop": 0.0055, "latency_ms": 0.0121, "latency_ms_p10": 0.01}},
    {"event": "warning", "message": "conv is small."},
    {"event": "run_finished", "state": "done", "seconds": 20.0, "held": False},
]  # fmt: skip
FINISHED = [
    "digits  1",
    "train  1 epoch  from the store  accuracy 98.0%  loss 0.1",
    "prune  2 epochs  12 s  accuracy 98.1%  sparsity 79.9%  loss 0.0746",
    "int8   43.6 kB  accuracy 97.8%  latency 12.1 µs  CLAIM BROKEN",
    "warning: conv is small.",
]


def test_a_pipe_gets_one_line_per_finished_stage_and_file() -> None:
    lines: list[str] = []
    show = Lines(lines.append)
    for event in EVENTS:
        show(event)
    assert lines == FINISHED


def test_a_pipe_is_quiet_when_it_is_asked_to_be() -> None:
    stream = io.StringIO()
    with progress(stream, silent_in_pipe=True) as on_event:
        assert on_event is None
    with progress(stream, silent_in_pipe=False) as on_event:
        assert on_event is not None
        on_event(EVENTS[0])
    assert stream.getvalue() == "digits  1\n"


def test_a_terminal_sees_stage_epoch_sparsity_and_metric_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    console = Console(file=io.StringIO(), width=120, force_terminal=True, highlight=False, markup=False)
    with live_progress(console) as bars:
        show = Live(bars)
        for event in EVENTS[:6]:
            show(event)
        (task,) = bars.tasks
        assert (task.description, task.completed, task.total) == ("prune", 13, 40)
        assert task.fields["epoch"] == "epoch 1/2"
        assert task.fields["figures"] == "sparsity 45.2%  accuracy 97.1%  loss 0.25"
        for event in EVENTS[6:]:
            show(event)
        assert not bars.tasks
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(line in shown for line in FINISHED)


def test_a_narrow_terminal_gets_the_two_figures_that_matter() -> None:
    assert metrics_text({"sparsity": 0.452, "loss": 0.25, "accuracy": 0.971}, 2) == "sparsity 45.2%  accuracy 97.1%"


def test_a_terminal_says_that_it_is_loading_before_anything_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")

    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Screen()
    with progress(stream, silent_in_pipe=True) as on_event:
        assert on_event is not None
    assert "loading TensorFlow, data and model" in stream.getvalue()
