"""A run in the terminal."""

from __future__ import annotations

from pathlib import Path

from tests.support.console import printed
from tests.support.sample_report import hostile_report, lying_report, sample_report
from tfopt.report.run import text

FOLDER = Path("saved_models/digits-prune-qat/20260727-141503-5f2c")


def test_a_run_fits_eighty_columns() -> None:
    shown = printed(text.show_text(lying_report(), FOLDER))
    assert max(map(len, shown.splitlines())) <= 80
    assert "1 of 16 claims broken" in shown
    assert "FULLY_CONNECTED computes in float32" in shown
    assert "warning: conv has 144 kernel weights" in shown
    assert "report.json" in shown


def test_a_pipe_gets_neither_colour_nor_lines_nor_wrapping() -> None:
    shown = printed(text.run_text(lying_report(), FOLDER, 1000), 1000)
    assert "\x1b" not in shown
    assert not set("│┃━─┏┓") & set(shown)
    assert (
        "int8 does not hold 'int8 only': FULLY_CONNECTED computes in float32 (tensor small_cnn/logits, layer logits)"
        in shown
    )


def test_a_wide_terminal_shows_the_spread_of_the_latency() -> None:
    assert "11.4–14.5 µs" in printed([text.exports_table(sample_report(), 120)], 120)
    assert "0.0145" not in printed([text.exports_table(sample_report(), 80)])


def test_names_are_never_markup() -> None:
    assert "[bold]&" in printed(text.show_text(hostile_report(), FOLDER, 400), 400)
