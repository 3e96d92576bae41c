"""What each of several outputs is worth in each file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tfopt.core.records.report import Report
from tfopt.report.shared import formats

OUTPUT_HEADINGS = ("", "output", "metrics", "like the model", "within a quantum")
"""Of the table."""
_OF_COMPARISON = ("agreement", "relative_error", "within_quantum", "loss")


@dataclass(frozen=True)
class OutputRow:
    """One output of one stage or file.

    Args:
        where: name of the stage or file.
        output: name of the output.
        metrics: its metrics, with how much worse than dense.
        likeness: equal predictions with the model, or error over the standard deviation of its outputs.
        within_quantum: share of values that are as close as a quantized output can tell.
    """

    where: str
    output: str
    metrics: str
    likeness: str
    within_quantum: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        return (self.where, self.output, self.metrics, self.likeness, self.within_quantum)


def output_rows(report: Report) -> tuple[OutputRow, ...]:
    """A row for each output after each stage, then in each file."""
    names = report.outputs
    measured = [(stage.name, stage.measures) for stage in report.stages]
    measured += [(export.name, export.measures) for export in report.exports]
    return tuple(_row(where, name, measures, names) for where, measures in measured for name in names if measures)


def _row(where: str, output: str, measures: Mapping[str, float], names: Sequence[str]) -> OutputRow:
    others = tuple(f"{other}_" for other in names if other.startswith(f"{output}_"))
    own = {
        name.removeprefix(f"{output}_"): value
        for name, value in measures.items()
        if name.startswith(f"{output}_") and not name.startswith(others)
    }
    metrics = [name for name in own if name not in _OF_COMPARISON and not name.endswith("_drop")]
    return OutputRow(
        where,
        output,
        ", ".join(_metric(name, own) for name in metrics) or "–",
        f"equal {formats.percent(own['agreement'])}"
        if "agreement" in own
        else f"error {formats.percent(own['relative_error'])}"
        if "relative_error" in own
        else "",
        formats.percent(own["within_quantum"]) if "within_quantum" in own else "",
    )


def _metric(name: str, own: Mapping[str, float]) -> str:
    drop = own.get(f"{name}_drop")
    worse = "" if drop is None else f" (drop {formats.measure(f'{name}_drop', drop)})"
    return f"{formats.spaced(name)} {formats.measure(name, own[name])}{worse}"
