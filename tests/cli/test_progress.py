"""Progress in a terminal and in a pipe."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tests.support.events import EVENTS, FINISHED
from tfopt.cli.progress import Live, live_progress, progress


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


def test_a_terminal_says_that_it_is_loading_before_anything_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")

    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Screen()
    with progress(stream, silent_in_pipe=True) as on_event:
        assert on_event is not None
    assert "loading TensorFlow, data and model" in stream.getvalue()
