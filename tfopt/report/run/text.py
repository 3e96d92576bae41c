"""A run as tables for the terminal. Functions return what rich can print; nothing here prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfopt.report.run import data
from tfopt.report.shared import formats

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from tfopt.core.records.report import DataRecord, Report

WIDE = 100
"""Columns from which a terminal has room for the spread of the latency."""


def words(text: str, style: str = "") -> Text:
    """Text as it is: names of users are never read as markup."""
    from rich.text import Text

    return Text(text, style=style)


def heading(text: str) -> Text:
    """A title above a table."""
    return words(f"\n{text}", "bold")


def indented(text: str, style: str = "") -> RenderableType:
    """A sentence set in by two columns, however many lines it takes."""
    from rich.padding import Padding

    return Padding(words(text, style), (0, 0, 0, 2), expand=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], left: Sequence[int] = (0,)) -> Table:
    """A table without lines: the same in a terminal and in a pipe.

    Args:
        columns: the headers.
        rows: the cells; text is taken as it is, not as markup.
        left: positions of columns that are text, not numbers.
    """
    from rich.table import Table

    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_header=any(columns))
    for index, column in enumerate(columns):
        made.add_column(words(column), justify="left" if index in left else "right", overflow="fold")
    for row in rows:
        made.add_row(*(words(cell) if isinstance(cell, str) else cell for cell in row))
    return made


def run_text(report: Report, folder: Path, width: int = 80) -> list[RenderableType]:
    """A finished run: files, what did not hold, warnings, where everything lies.

    Args:
        report: the run's report.
        folder: the run folder.
        width: columns of the terminal.
    """
    parts: list[RenderableType] = []
    if report.exports:
        parts += [heading("files"), exports_table(report, width)]
        parts += [words(sentence) for sentence in [data.size_sentence(report)] if sentence]
    parts += [words(""), *verdict_text(report)]
    parts += [words(f"warning: {warning}", "yellow") for warning in report.warnings]
    page = folder / "report.html"
    parts += [words(""), words(f"report  {page if page.is_file() else folder / 'report.json'}")]
    return parts


def show_text(report: Report, folder: Path, width: int = 80) -> list[RenderableType]:
    """A run of the past, with its stages and layers."""
    run, source = report.run, report.data
    parts: list[RenderableType] = [
        words(f"{run.recipe}  {run.id}", "bold"),
        words(f"{run.state} after {formats.duration(run.seconds)}, seed {run.seed}"),
        words(examples(source)),
    ]
    if report.stages:
        parts += [heading("stages"), stages_table(report)]
        parts += [indented(sentence) for sentence in data.lesson_sentences(report)]
        parts += [heading("sparsity of each layer after each stage, then in each file"), layers_table(report)]
        parts += [indented(sentence) for sentence in data.skip_sentences(report)]
    return parts + run_text(report, folder, width)


def examples(source: DataRecord) -> str:
    """Data and the sizes of its splits."""
    counts = (("training", source.train), ("validation", source.validation), ("test", source.test))
    return f"{source.source}: {', '.join(f'{formats.count(number)} {name}' for name, number in counts)} examples"


def exports_table(report: Report, width: int = 80) -> Table:
    """One line per file: size, what it can, what held."""
    metric = report.metric
    wide = width >= WIDE
    spread = ("10th–90th",) if wide else ()
    rows: list[tuple[str | Text, ...]] = []
    for row in data.export_rows(report):
        low, high = row.latency_ms_p10, row.latency_ms_p90
        between = (
            "–" if low is None or high is None else f"{formats.milliseconds(low)[:-3]}–{formats.milliseconds(high)}"
        )
        held = f"{row.num_held}/{row.num_claims}" if row.num_claims else "–"
        rows.append(
            (
                words(row.name, "bold"),
                formats.size(row.bytes),
                formats.size(row.gzip_bytes),
                formats.measure(metric, row.metric),
                formats.measure(f"{metric}_drop", row.drop),
                formats.measure("agreement", row.agreement, metric),
                formats.milliseconds(row.latency_ms),
                *((between,) if wide else ()),
                words(held, "" if row.num_held == row.num_claims else "bold red"),
            )
        )
    return table(("", "size", "gzip", metric, "drop", "agreement", "latency", *spread, "claims"), rows)


def verdict_text(report: Report) -> list[RenderableType]:
    """The verdict in one sentence, then what did not hold, in words."""
    verdict = data.verdict(report)
    lines: list[RenderableType] = [words(verdict.headline, "bold green" if verdict.good else "bold red")]
    return lines + [indented(sentence, "red") for sentence in verdict.broken]


def stages_table(report: Report) -> Table:
    """One line per stage."""
    metric = report.metric
    rows = [
        (
            words(row.name, "bold"),
            str(row.num_epochs),
            formats.duration(row.seconds),
            formats.measure(metric, row.metric),
            formats.number(row.loss),
            formats.share(row.sparsity),
            formats.count(row.parameters),
            "from the store" if row.cached else "",
        )
        for row in data.stage_rows(report)
    ]
    return table(("", "epochs", "time", metric, "loss", "sparsity", "parameters", ""), rows, left=(0, 7))


def layers_table(report: Report) -> Table:
    """One line per layer: sparsity after each stage, then in each file."""
    layers = data.layer_table(report)
    rows: list[tuple[str | Text, ...]] = [
        (
            words(row.name, "bold"),
            row.type,
            formats.count(row.parameters),
            *(formats.share(value) for value in (*row.after_stages, *row.in_files)),
        )
        for row in layers.rows
    ]
    return table(("", "type", "weights", *layers.stages, *layers.files), rows, left=(0, 1))
