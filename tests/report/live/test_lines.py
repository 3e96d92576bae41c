"""A line for each finished stage, file and trial."""

from __future__ import annotations

from tests.support.events import EVENTS, FINISHED
from tfopt.report.live.lines import Lines, metrics_text


def test_a_pipe_gets_one_line_per_finished_stage_and_file() -> None:
    lines: list[str] = []
    show = Lines(lines.append)
    for event in EVENTS:
        show(event)
    assert lines == FINISHED


def test_a_narrow_terminal_gets_two_metrics() -> None:
    assert metrics_text({"sparsity": 0.452, "loss": 0.25, "accuracy": 0.971}, 2) == "sparsity 45.2%  accuracy 97.1%"
