"""The page of a run: one file that opens offline, in light and dark, on paper, and with a screen reader."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tfopt.report.run import charts, data
from tfopt.report.shared import formats, style

if TYPE_CHECKING:
    from jinja2 import Template

    from tfopt.core.records.report import Report

_TEMPLATES = "templates"
_THEMED = {
    style.INK: "var(--muted)",
    style.BLUE: "var(--blue)",
    style.ORANGE: "var(--orange)",
    style.GREEN: "var(--green)",
    style.SKY: "var(--sky)",
    style.PINK: "var(--pink)",
    style.TEXT: "var(--text)",
}


def write_html(report: Report, recipe_yaml: str, folder: Path) -> Path:
    """Writes `report.html` and `figures/*.svg` into a run folder.

    Args:
        report: what to show.
        recipe_yaml: the recipe as it was run.
        folder: the run folder.

    Returns:
        The path of the page.

    Raises:
        OSError: the folder cannot be written.
    """
    drawn = charts.charts(report)
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    for chart in drawn:
        (figures / f"{chart.name}.svg").write_text(chart.svg, encoding="utf-8")
    page = folder / "report.html"
    page.write_text(render(report, recipe_yaml, drawn), encoding="utf-8")
    return page


def render(report: Report, recipe_yaml: str, drawn: tuple[style.Chart, ...]) -> str:
    """The page as text.

    Args:
        report: what to show.
        recipe_yaml: the recipe as it was run.
        drawn: the figures, inlined in this order.
    """
    exports = data.export_rows(report)
    return template("report.html.j2").render(
        report=report,
        recipe_yaml=recipe_yaml,
        verdict=data.verdict(report),
        exports=exports,
        latency_threads=data.latency_threads(report),
        broken_names=[row.name for row in exports if row.broken],
        stages=data.stage_rows(report),
        lessons=data.lesson_sentences(report),
        layers=data.layer_table(report),
        skips=data.skip_sentences(report),
        size_sentence=data.size_sentence(report),
        budgets=data.budget_rows(report),
        commands=data.how_to_repeat(report),
        figures=[(chart, inline(chart)) for chart in drawn],
        f=formats,
    )


def template(name: str) -> Template:
    """A page template; what is put into it is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tfopt.report", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def inline(chart: style.Chart) -> str:
    """A figure as part of the page: its colours follow the page's, its ids are its own, its text is described."""
    from markupsafe import Markup, escape

    svg = chart.svg[chart.svg.index("<svg") :]
    opening, rest = svg.split(">", 1)
    box = re.search(r'viewBox="([^"]*)"', opening)
    rest = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{chart.name}-", rest)
    rest = rest.replace("xlink:href", "href")
    for colour, variable in _THEMED.items():
        rest = rest.replace(colour, variable)
    label = escape(chart.description)
    return Markup(f'<svg viewBox="{box[1] if box else ""}" role="img" aria-label="{label}">{rest}')
