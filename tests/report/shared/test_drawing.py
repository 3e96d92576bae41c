"""Figures before they are drawn, and the styles of their lines."""

from __future__ import annotations

from matplotlib.figure import Figure

from tfopt.report.shared.drawing import Drawing, line_styles, percent_axis, plain


def test_families_differ_in_colour_first_and_then_in_dashes() -> None:
    styles = line_styles({f"{family} {level}": family for family in "abcdef" for level in ("80%", "90%")})
    assert styles["a 80%"] == styles["a 90%"]
    assert styles["a 80%"].colour != styles["b 80%"].colour
    assert styles["a 80%"].colour == styles["f 80%"].colour
    assert styles["a 80%"].dashes != styles["f 80%"].dashes


def test_a_fraction_has_percent_signs_and_an_error_has_none() -> None:
    axes = Figure().add_subplot()
    axes.set_ylim(0, 1)
    percent_axis(axes.yaxis, "accuracy")
    assert axes.yaxis.get_major_formatter()(0.2, 0) == "20%"
    before = axes.xaxis.get_major_formatter()
    percent_axis(axes.xaxis, "mean_absolute_error")
    assert axes.xaxis.get_major_formatter() is before


def test_a_name_is_never_a_formula() -> None:
    assert plain("_a$b$") == r"a\$b\$"
    assert plain("_") == "recipe"


def test_a_drawing_is_the_same_each_time() -> None:
    drawing = Drawing("line", "Line", "A line.", 2, 1, lambda figure: figure.add_subplot().plot([0, 1]))
    assert drawing.chart() == drawing.chart()
    assert drawing.png()[:4] == b"\x89PNG"
