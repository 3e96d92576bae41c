"""Curves out of characters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tfopt.core.config.schedules import Polynomial
from tfopt.core.recipe.plan import PlannedStage
from tfopt.report.plan.terminal_plot import filled, schedule_plot
from tfopt.report.run.curves import ScheduleCurve, schedule_curves


def curve() -> ScheduleCurve:
    schedule = Polynomial(final=0.8).resolve(230, 23)
    return schedule_curves(PlannedStage("prune", "prune", "k", "will run", schedules={"": schedule}))[0]


@given(st.lists(st.floats(0, 1), max_size=40), st.integers(1, 12), st.booleans())
def test_a_filled_curve_is_a_rectangle(values: list[float], height: int, unicode: bool) -> None:
    rows = filled(values, 1.0, height, unicode)
    assert len(rows) == height
    assert {len(row) for row in rows} == {len(values)}


def test_columns_are_filled_from_the_bottom() -> None:
    assert filled([0.0, 0.5, 1.0], 1.0, 2) == ["  █", " ██"]
    assert filled([0.25], 1.0, 2) == [" ", "▄"]


def test_nothing_to_show_is_empty_rather_than_an_error() -> None:
    assert filled([0.0, 0.0], 0.0, 1) == ["  "]


def test_a_schedule_fits_its_width_and_names_start_end_and_top() -> None:
    for width in (20, 60, 76):
        lines = schedule_plot(curve(), width)
        assert max(map(len, lines)) <= width
    assert lines[0].startswith("  80% ┤")
    assert lines[0].endswith("█")
    assert lines[-1].split() == ["step", "0", "end", "159", "230"]


def test_a_terminal_without_unicode_gets_ascii() -> None:
    assert all(line.isascii() for line in schedule_plot(curve(), unicode=False))
