"""The page of a comparison: one file that opens offline, in light and dark, and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfopt.errors import StoreError
from tfopt.report.comparison.fronts import latencies_differ, macs_differ
from tfopt.report.comparison.sentences import verdict_sentences
from tfopt.report.comparison.text import latency_text, macs_text, metric_text
from tfopt.report.shared import formats
from tfopt.report.shared.drawing import Drawing
from tfopt.report.shared.page import inline_svg, template

if TYPE_CHECKING:
    from tfopt.core.sweeps.candidates import Candidate
    from tfopt.core.sweeps.comparison import Comparison
    from tfopt.core.sweeps.rows import Row


def render_comparison(
    comparison: Comparison, rows: Sequence[Row], candidates: Sequence[Candidate], drawn: Sequence[Drawing]
) -> str:
    """The page as text.

    Args:
        comparison: what was compared.
        rows: its rows in the order to show.
        candidates: the runs behind it.
        drawn: the figures, inlined in this order.
    """
    order = {row.name: index for index, row in enumerate(rows)}
    return template("comparison.html.j2").render(
        comparison=comparison,
        title=", ".join(dict.fromkeys(candidate.report.run.recipe for candidate in candidates)),
        rows=rows,
        runs=sorted(candidates, key=lambda one: (order[one.group], one.seed)),
        schedules=sorted({row.schedule for row in rows}),
        allocations=sorted({row.allocation for row in rows}),
        sentences=verdict_sentences(comparison),
        seeds=sorted({candidate.seed for candidate in candidates}),
        data=candidates[0].report.data,
        environment=candidates[0].report.environment,
        figures=[(drawing, inline_svg(drawing.chart())) for drawing in drawn],
        metric_text=metric_text,
        macs_text=macs_text,
        latency_text=latency_text,
        macs_differ=macs_differ,
        latencies_differ=latencies_differ,
        f=formats,
    )


def write_comparison(
    page: Path,
    comparison: Comparison,
    rows: Sequence[Row],
    candidates: Sequence[Candidate],
    drawn: Sequence[Drawing],
) -> None:
    """Writes the page; arguments as for `render_comparison`.

    Raises:
        StoreError: the file cannot be written.
    """
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(render_comparison(comparison, rows, candidates, drawn), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"Cannot write {page}: {error.strerror or error}.", code="cannot_write") from error


def write_figures(drawn: Sequence[Drawing], folder: Path) -> None:
    """Writes every figure as SVG and PNG.

    Raises:
        StoreError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for drawing in drawn:
            (folder / f"{drawing.name}.svg").write_text(drawing.chart().svg, encoding="utf-8")
            (folder / f"{drawing.name}.png").write_bytes(drawing.png())
    except OSError as error:
        raise StoreError(f"Cannot write {folder}: {error.strerror or error}.", code="cannot_write") from error
