"""A run as tables for the terminal. Functions return what rich prints; nothing here prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfopt.report.run import sentences
from tfopt.report.run.choice import choice_sentences
from tfopt.report.run.cost import cost_sentences
from tfopt.report.run.outputs import OUTPUT_HEADINGS, output_rows
from tfopt.report.run.rows import export_rows, layer_table, likeness, stage_rows
from tfopt.report.run.shrinking import shrunk_stages
from tfopt.report.shared import formats
from tfopt.report.shared.explanation_text import advice_text
from tfopt.report.shared.terminal import WIDE, heading, indented, plain_text, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from tfopt.core.records.report import Report


def run_text(report: Report, folder: Path, width: int = 80) -> list[RenderableType]:
    """A finished run: files, what did not hold, warnings, path of the report.

    Args:
        report: the run's report.
        folder: the run folder.
        width: columns of the terminal.
    """
    parts: list[RenderableType] = []
    if report.exports:
        parts += [heading("files"), exports_table(report, width)]
        if rows := output_rows(report):
            parts += [heading("each output"), table(OUTPUT_HEADINGS, [row.cells for row in rows], left=(0, 1, 2))]
        parts += [plain_text(sentence) for sentence in sentences.about_sizes(report)]
        parts += [plain_text(sentence) for sentence in choice_sentences(report)]
        parts += [plain_text(sentence) for sentence in cost_sentences(report)]
        parts += [plain_text(sentence) for sentence in sentences.making_sentences(report)]
        parts += [plain_text(sentence) for sentence in sentences.simulation_sentences(report)]
        for export in report.exports:
            if export.explanation is not None and export.explanation.sensitivity is not None:
                parts += [heading(f"{export.name}, one layer at a time"), *advice_text(export.explanation.sensitivity)]
    parts += [plain_text(""), *verdict_text(report)]
    parts += [plain_text(f"warning: {warning}", "yellow") for warning in sentences.warnings(report)]
    page = folder / "report.html"
    parts += [plain_text(""), plain_text(f"report  {page if page.is_file() else folder / 'report.json'}")]
    return parts


def show_text(report: Report, folder: Path, width: int = 80) -> list[RenderableType]:
    """An earlier run, with its stages and layers."""
    run, source = report.run, report.data
    parts: list[RenderableType] = [
        plain_text(f"{run.recipe}  {run.id}", "bold"),
        plain_text(f"{run.state} after {formats.duration(run.seconds)}, seed {run.seed}"),
        plain_text(sentences.examples_sentence(source)),
    ]
    if report.stages:
        parts += [heading("stages"), stages_table(report)]
        parts += [indented(sentence) for sentence in sentences.distillation_sentences(report)]
        for stage in shrunk_stages(report):
            parts += [heading(f"what {stage.name} removed"), *(indented(sentence) for sentence in stage.sentences)]
            parts.append(table(stage.headings, stage.rows, left=(0, 1)))
        parts += [heading("sparsity of each layer after each stage, then in each file"), layers_table(report)]
        parts += [indented(sentence) for sentence in sentences.skip_sentences(report)]
    return parts + run_text(report, folder, width)


def exports_table(report: Report, width: int = 80) -> Table:
    """One line per file: sizes, metric, latency, and how many claims held."""
    metric, alike = report.metric, likeness(report)
    wide = width >= WIDE
    spread = ("10th–90th",) if wide else ()
    rows: list[tuple[str | Text, ...]] = []
    for row in export_rows(report):
        between = formats.latency_range(row.latency_ms_p10, row.latency_ms_p90)
        accepted = f" ({row.num_accepted} accepted)" if row.num_accepted else ""
        held = f"{row.num_held}/{row.num_claims}{accepted}" if row.num_claims else "–"
        rows.append(
            (
                plain_text(row.name, "bold"),
                formats.size(row.bytes or None),
                formats.size(row.gzip_bytes or None),
                formats.measure(metric, row.metric),
                formats.measure(f"{metric}_drop", row.drop),
                alike.text(row),
                formats.milliseconds(row.latency_ms),
                *((between,) if wide else ()),
                plain_text(held, "bold red" if row.broken else ""),
            )
        )
    return table(("", "size", "gzip", metric, "drop", alike.heading, "latency", *spread, "claims"), rows)


def verdict_text(report: Report) -> list[RenderableType]:
    """The verdict in one sentence, then what did not hold and what should not be overlooked, in words."""
    verdict = sentences.verdict(report)
    colour = "red" if not verdict.good else "yellow" if verdict.concerns else "green"
    lines: list[RenderableType] = [plain_text(verdict.headline, f"bold {colour}")]
    lines += [indented(sentence, "red") for sentence in verdict.broken]
    return lines + [indented(sentence, "yellow") for sentence in verdict.concerns]


def stages_table(report: Report) -> Table:
    """One line per stage."""
    metric = report.metric
    rows = [
        (
            plain_text(row.name, "bold"),
            str(row.num_epochs),
            formats.duration(row.seconds),
            formats.measure(metric, row.metric),
            formats.number(row.loss),
            formats.percent(row.sparsity),
            formats.count(row.parameters),
            "from the store" if row.cached else "",
        )
        for row in stage_rows(report)
    ]
    return table(("", "epochs", "time", metric, "loss", "sparsity", "parameters", ""), rows, left=(0, 7))


def layers_table(report: Report) -> Table:
    """One line per layer: sparsity after each stage, then in each file."""
    layers = layer_table(report)
    rows: list[tuple[str | Text, ...]] = [
        (
            plain_text(row.name, "bold"),
            row.type,
            formats.count(row.parameters),
            *(formats.percent(value) for value in (*row.after_stages, *row.in_files)),
        )
        for row in layers.rows
    ]
    return table(("", "type", "weights", *layers.stages, *layers.files), rows, left=(0, 1))
