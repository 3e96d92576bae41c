"""Which of a run's files to take: those that no other one beats in bytes and metric, and the smallest that is good."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from tfopt.core.config.training.keras_names import higher_is_better
from tfopt.report.run.rows import export_rows
from tfopt.report.shared import formats

if TYPE_CHECKING:
    from tfopt.core.records.report import Report
    from tfopt.report.run.rows import ExportRow

_FEWEST = 3
"""With fewer files there is nothing to choose."""


def choice_sentences(report: Report) -> tuple[str, ...]:
    """The front of bytes and metric from the smallest file on, then the smallest file that keeps all that the recipe
    demands of it. Nothing for a run of one or two files."""
    files = {export.name for export in report.exports if export.format == "tflite"}
    judged = [row for row in export_rows(report) if row.metric is not None and isfinite(row.metric)]
    rows = [row for row in judged if row.name in files and row.bytes]
    if len(rows) < _FEWEST:
        return ()
    best = _front(rows, report.metric)
    listed = ", ".join(_described(row, report.metric) for row in best)
    rest = len(rows) - len(best)
    others = "the other one is" if rest == 1 else f"the other {rest} are"
    beaten = f"; {others} no better than a smaller one" if rest else ""
    found = [f"Size against {report.metric}, from the smallest file on: {listed}{beaten}."]
    missed = {budget.name.rpartition(".")[0] for budget in report.budgets if not budget.met}
    good = [row for row in rows if not row.broken and row.name not in missed]
    if good:
        smallest = min(good, key=lambda row: row.bytes)
        found.append(f"The smallest file that keeps its claims and budgets: {_described(smallest, report.metric)}.")
    return tuple(found)


def _front(rows: list[ExportRow], metric: str) -> list[ExportRow]:
    """The files that are better than every smaller one, smallest first."""
    sign = 1 if higher_is_better(metric) else -1
    found: list[ExportRow] = []
    for row in sorted(rows, key=lambda row: (row.bytes, -sign * (row.metric or 0.0))):
        if not found or sign * (row.metric or 0.0) > sign * (found[-1].metric or 0.0):
            found.append(row)
    return found


def _described(row: ExportRow, metric: str) -> str:
    return f"{row.name} ({formats.size(row.bytes)}, {formats.measure(metric, row.metric)})"
