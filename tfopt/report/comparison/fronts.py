"""The metric against what a variant costs (bytes, operations, time), with the Pareto front."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfopt.report.comparison import data
from tfopt.report.shared import formats
from tfopt.report.shared.drawing import Drawing, LineStyle, percent_axis, plain
from tfopt.report.shared.style import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tfopt.core.sweeps.candidates import Candidate
    from tfopt.core.sweeps.comparison import Comparison
    from tfopt.core.sweeps.rows import Row

_MOST_IN_HALF_A_ROW = 5
_CLEARLY = 1.1
"""How many times the fastest variant the slowest has to take for their times to be drawn: measurements of one file
differ by some percent."""


@dataclass(frozen=True)
class _Front:
    """A cost against which the metric is drawn.

    Args:
        name: of the figure.
        title: of the figure, behind "accuracy against".
        axis: label of the axis.
        cost: of a variant, in the unit of the axis.
        written: the same as text.
        on_front: whether a variant is on the front.
        label: at a point of the front.
        dense: cost and metric of the dense model, where they are shown.
        joined: whether a line joins the variants of a family.
    """

    name: str
    title: str
    axis: str
    cost: Callable[[Row], float | None]
    written: Callable[[Row], str]
    on_front: Callable[[Row], bool]
    label: Callable[[Row], str]
    dense: tuple[float, float] | None = None
    joined: bool = False


def front_drawings(
    comparison: Comparison, candidates: Sequence[Candidate], styles: dict[str, LineStyle]
) -> Iterator[Drawing | None]:
    """The figures for which there is data: by compressed size; by operations and by time where variants differ in them.

    Args:
        comparison: the table.
        candidates: the runs behind it.
        styles: of the variants, by name.
    """
    yield _drawing(
        comparison,
        styles,
        _Front(
            "metric_by_size", "compressed size", f"{comparison.export} with gzip, kB",
            lambda row: None if row.gzip_bytes is None else row.gzip_bytes / 1e3,
            lambda row: formats.size(row.gzip_bytes),
            lambda row: row.on_front,
            lambda row: formats.percent(row.sparsity, 0),
        ),
    )  # fmt: skip
    most = max((row.macs or 0.0 for row in comparison.rows), default=0.0)
    dense_macs, dense = data.dense_macs(candidates), data.dense_metric(candidates, comparison.metric)
    most = max(most, dense_macs or 0.0)
    if macs_differ(comparison):
        yield _drawing(
            comparison,
            styles,
            _Front(
                "metric_by_macs", "multiply-accumulates", "multiply-accumulates for one example, millions",
                lambda row: None if row.macs is None else row.macs / 1e6,
                lambda row: f"{formats.magnitude(row.macs)} MACs",
                lambda row: row.on_macs_front,
                lambda row: formats.percent((row.macs or 0.0) / most, 0),
                None if dense_macs is None or dense is None else (dense_macs / 1e6, dense),
                joined=True,
            ),
        )  # fmt: skip
    if latencies_differ(comparison):
        slowest = max(row.latency_ms or 0.0 for row in comparison.rows)
        yield _drawing(
            comparison,
            styles,
            _Front(
                "metric_by_latency", "latency", f"{comparison.export}, milliseconds for one example",
                lambda row: row.latency_ms,
                lambda row: formats.milliseconds(row.latency_ms),
                lambda row: row.on_latency_front,
                lambda row: formats.percent((row.latency_ms or 0.0) / slowest, 0),
            ),
        )  # fmt: skip


def macs_differ(comparison: Comparison) -> bool:
    """Whether variants have different numbers of operations."""
    return len({row.macs for row in comparison.rows if row.macs is not None}) > 1


def latencies_differ(comparison: Comparison) -> bool:
    """Whether variants differ in latency by more than measurements of one file do."""
    times = [row.latency_ms for row in comparison.rows if row.latency_ms]
    return len(times) > 1 and max(times) > _CLEARLY * min(times)


def _drawing(comparison: Comparison, styles: dict[str, LineStyle], front: _Front) -> Drawing | None:
    rows = [row for row in comparison.rows if row.metric is not None and front.cost(row) is not None]
    if not rows:
        return None
    metric = comparison.metric
    best = sorted((row for row in rows if front.on_front(row)), key=lambda row: front.cost(row) or 0.0)
    lines = by_family(rows, styles)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        places = [front.cost(row) or 0.0 for row in best], [row.metric or 0.0 for row in best]
        axes.plot(*places, color=INK, linewidth=1.2, drawstyle="steps-post", zorder=1)
        for style, members in lines:
            members = sorted(members, key=lambda row: front.cost(row) or 0.0)
            if front.joined and len(members) > 1:
                axes.plot(
                    [front.cost(row) or 0.0 for row in members], [row.metric or 0.0 for row in members],
                    color=style.colour, linestyle=style.dashes, linewidth=1, alpha=0.5, zorder=1,
                )  # fmt: skip
            axes.errorbar(
                [front.cost(row) or 0.0 for row in members], [row.metric or 0.0 for row in members],
                yerr=[row.spread or 0.0 for row in members], color=style.colour, linestyle="none", marker=style.marker,
                markersize=5.5, elinewidth=0.9, capsize=2, label=plain(style.family),
            )  # fmt: skip
        axes.plot(
            *places, linestyle="none", marker="o",
            markersize=11, markerfacecolor="none", markeredgecolor=INK, markeredgewidth=1, label="on the front",
        )  # fmt: skip
        if front.dense is not None:
            cost, value = front.dense
            axes.plot([cost], [value], linestyle="none", marker="+", markersize=9, color=INK, label="dense")
        # One label per text: neighbours on the front would write over each other.
        for text, row in {front.label(row): row for row in best}.items():
            position = (front.cost(row) or 0.0, row.metric or 0.0)
            axes.annotate(text, position, (8, -10), textcoords="offset points", fontsize=8)
        percent_axis(axes.yaxis, metric)
        axes.set_xlabel(front.axis)
        axes.set_ylabel(formats.spaced(metric))
        axes.margins(0.1)
        figure.legend(loc="outside lower center", ncols=4, columnspacing=1.2, handlelength=2.8)

    words = "; ".join(f"{row.name}: {formats.measure(metric, row.metric)} in {front.written(row)}" for row in best)
    title = f"{formats.spaced(metric).capitalize()} against {front.title}, with the Pareto front"
    height = 3.3 + 0.2 * (-(-(len(lines) + 1) // 4))
    width, wide = room(lines)
    return Drawing(front.name, title, f"{title}. On the front: {words}.", width, height, draw, tall=wide)


def by_family(rows: Sequence[Row], styles: dict[str, LineStyle]) -> list[tuple[LineStyle, list[Row]]]:
    """The rows of each family, with its style."""
    grouped: dict[str, tuple[LineStyle, list[Row]]] = {}
    for row in rows:
        style = styles[row.name]
        grouped.setdefault(style.family, (style, []))[1].append(row)
    return list(grouped.values())


def room(lines: Sequence[object]) -> tuple[float, bool]:
    """Inches, and whether the figure gets a row of its own: many lines need it."""
    return (9.6, True) if len(lines) > _MOST_IN_HALF_A_ROW else (5.8, False)
