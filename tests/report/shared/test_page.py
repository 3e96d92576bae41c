"""Templates and figures as parts of a page."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from tfopt.report.shared.page import inline_svg, template
from tfopt.report.shared.style import BLUE, Chart, svg


def chart(name: str) -> Chart:
    return Chart(
        name, "A line", 'From 0 to "1".', svg(2, 1, lambda figure: figure.add_subplot().plot([0, 1], color=BLUE))
    )


def test_a_template_escapes_what_is_put_into_it_and_refuses_unknown_names() -> None:
    with pytest.raises(UndefinedError):
        template("figures_part.html.j2").render()
    part = template("figures_part.html.j2").render(figures=[(Chart("x", "<b>", "", ""), "")])
    assert "<b>" not in part
    assert "&lt;b&gt;" in part


def test_an_inlined_figure_follows_the_colours_of_the_page_and_keeps_its_ids_apart() -> None:
    first, second = (str(inline_svg(chart(name))) for name in ("one", "two"))
    assert first.startswith("<svg viewBox=")
    assert 'aria-label="From 0 to &#34;1&#34;."' in first
    assert BLUE not in first
    assert "var(--blue)" in first
    assert 'id="one-' in first
    assert 'id="one-' not in second
