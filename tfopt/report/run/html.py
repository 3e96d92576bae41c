"""The page of a run: one file that opens offline, in light and dark, on paper, and with a screen reader."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfopt.report.run import charts, sentences, shrinking
from tfopt.report.run.choice import choice_sentences
from tfopt.report.run.cost import cost_sentences
from tfopt.report.run.outputs import OUTPUT_HEADINGS, output_rows
from tfopt.report.run.rows import budget_rows, export_rows, latency_threads, layer_table, likeness, stage_rows
from tfopt.report.shared import explanation, formats, style
from tfopt.report.shared.arithmetic import arithmetic
from tfopt.report.shared.page import inline_svg, template

if TYPE_CHECKING:
    from tfopt.core.records.report import Report


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
    exports = export_rows(report)
    return template("report.html.j2").render(
        report=report,
        recipe_yaml=recipe_yaml,
        verdict=sentences.verdict(report),
        exports=exports,
        outputs=output_rows(report),
        output_headings=OUTPUT_HEADINGS,
        likeness=likeness(report),
        latency_threads=latency_threads(report),
        broken_names=[row.name for row in exports if row.broken],
        stages=stage_rows(report),
        tokens=None if report.data.text is None else sentences.tokens_sentence(report.data.text),
        distillation=sentences.distillation_sentences(report),
        layers=layer_table(report),
        shrunk=shrinking.shrunk_stages(report),
        skips=sentences.skip_sentences(report),
        about_sizes=(*sentences.about_sizes(report), *choice_sentences(report)),
        costs=cost_sentences(report),
        has_notes=sentences.has_notes(report),
        simulations=(*sentences.making_sentences(report), *sentences.simulation_sentences(report)),
        warnings=sentences.warnings(report),
        budgets=budget_rows(report),
        commands=sentences.how_to_repeat(report),
        figures=[(chart, inline_svg(chart)) for chart in drawn],
        f=formats,
        arithmetic=arithmetic,
        explained=[export for export in report.exports if export.explanation is not None],
        x=explanation,
    )
