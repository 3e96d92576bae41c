"""A comparison as a table for the terminal, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from tfopt.core.language.wording import counted
from tfopt.core.sweeps.rows import COLUMNS, Row
from tfopt.report.comparison.fronts import latencies_differ, macs_differ
from tfopt.report.comparison.sentences import verdict_sentences
from tfopt.report.shared import formats
from tfopt.report.shared.terminal import WIDE, heading, indented, plain_text, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from tfopt.core.sweeps.comparison import Comparison
    from tfopt.core.sweeps.record import Sweep, TrialRecord


def comparison_text(comparison: Comparison, rows: Sequence[Row], width: int = 80) -> list[RenderableType]:
    """The table, its sentences about differences, notes.

    Args:
        comparison: what was compared.
        rows: its rows in the order to show.
        width: columns of the terminal.
    """
    where = (
        f"of {comparison.export}, measured on the test split"
        if comparison.export
        else "after the last stage, on the test split"
    )
    parts: list[RenderableType] = [plain_text(f"{comparison.metric} {where}"), rows_table(comparison, rows, width)]
    if any(row.on_front for row in rows):
        parts.append(plain_text("● on the Pareto front: no variant is both better and smaller with gzip", "dim"))
    differing = {"MACs": macs_differ(comparison), "latency": latencies_differ(comparison)}
    costs = [name for name, shown in differing.items() if shown]
    if costs:
        text = f"● in {' or '.join(costs)}: on the Pareto front of that column, no variant is both better and cheaper"
        parts.append(plain_text(text, "dim"))
    sentences = verdict_sentences(comparison)
    if sentences:
        parts += [heading("differences"), *(indented(sentence) for sentence in sentences)]
    return parts + [plain_text(f"note: {note}", "yellow") for note in comparison.notes]


def rows_table(comparison: Comparison, rows: Sequence[Row], width: int) -> Table:
    """One line per variant; columns that say nothing about any of them are left out."""
    metric = comparison.metric
    wide = width >= WIDE
    columns: list[tuple[str, list[str]]] = [
        ("schedule", [row.schedule for row in rows] if wide and _differ(row.schedule for row in rows) else []),
        ("allocation", [row.allocation for row in rows] if wide and _differ(row.allocation for row in rows) else []),
        ("sparsity", [formats.percent(row.sparsity) for row in rows]),
        (metric, [metric_text(metric, row) for row in rows]),
        ("drop", [formats.measure(f"{metric}_drop", row.drop) for row in rows]),
        ("size", [formats.size(row.bytes) for row in rows]),
        ("gzip", [formats.size(row.gzip_bytes) for row in rows]),
        ("MACs", [macs_text(row) for row in rows] if macs_differ(comparison) else []),
        ("latency", [latency_text(comparison, row) for row in rows]),
        ("time", [formats.duration(row.seconds) for row in rows]),
        ("seeds", [str(len(row.seeds)) for row in rows]),
    ]  # fmt: skip
    shown = [(name, cells) for name, cells in columns if any(cell not in ("", "–") for cell in cells)]
    marks = ["●" if row.on_front else "" for row in rows]
    body: list[Sequence[str | Text]] = [
        (mark, plain_text(row.name, "bold"), *(cells[index] for _, cells in shown))
        for index, (row, mark) in enumerate(zip(rows, marks, strict=True))
    ]
    left = [0, 1, *(index + 2 for index, (name, _) in enumerate(shown) if name in ("schedule", "allocation"))]
    return table(("", "", *(name for name, _ in shown)), body, left=left)


def metric_text(metric: str, row: Row) -> str:
    """Mean and spread: `98.1% ± 0.2%`."""
    mean = formats.measure(metric, row.metric)
    return mean if row.spread is None else f"{mean} ± {formats.measure(metric, row.spread)}"


def macs_text(row: Row) -> str:
    """Operations, marked where the variant is on their front: `● 6.16 M`."""
    return formats.magnitude(row.macs) if not row.on_macs_front else f"● {formats.magnitude(row.macs)}"


def latency_text(comparison: Comparison, row: Row) -> str:
    """Latency, marked where the variant is on its front and the variants differ in it."""
    shown = formats.milliseconds(row.latency_ms)
    return f"● {shown}" if row.on_latency_front and latencies_differ(comparison) else shown


def sweep_text(sweep: Sweep, comparison: Comparison | None, width: int = 80) -> list[RenderableType]:
    """A sweep that is over: its table, then what did not finish.

    Args:
        sweep: the sweep.
        comparison: its finished runs; None where there are none.
        width: columns of the terminal.
    """
    parts: list[RenderableType] = [plain_text("")]
    if comparison is not None:
        parts += comparison_text(comparison, comparison.rows, width)
    left = [trial for trial in sweep.record.trials if trial.state != "done"]
    if sweep.mistake is not None:
        parts += [heading("no trial could run: the recipe has a mistake"), indented(sweep.mistake, "red")]
    elif left:
        parts.append(heading(f"{len(left)} of {counted(len(sweep.record.trials), 'trial')} did not finish"))
        colours = {"failed": "red", "stopped": "dim"}
        parts += [indented(_unfinished(trial), colours.get(trial.state, "")) for trial in left]
    return [*parts, plain_text(""), plain_text(f"sweep  {sweep.folder}")]


def _unfinished(trial: TrialRecord) -> str:
    return " ".join(filter(None, (f"{trial.name}: {trial.state}.", trial.error, trial.repetition)))


def comparison_csv(rows: Sequence[Row]) -> str:
    """All columns with full precision; seeds with blanks between them."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({**asdict(row), "seeds": " ".join(map(str, row.seeds))})
    return stream.getvalue()


def _differ(values: Iterable[str]) -> bool:
    return len(set(values)) > 1
