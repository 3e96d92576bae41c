"""A run's curves and bars as SVG, drawn without pyplot: no window, no state, the same bytes for the same report.

The colours are those of Okabe and Ito (2008), which people with any colour vision can distinguish; ink is a grey with
contrast 4.5 on white and on near-black, and the background is transparent, so that a figure fits both themes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from tfopt.report.run.curves import Curves, sparsity_curves, training_curves
from tfopt.report.run.rows import ExportRow, LayerTable, export_rows, layer_table
from tfopt.report.run.shrinking import shrink_charts
from tfopt.report.run.treemap import layer_treemap
from tfopt.report.shared import formats
from tfopt.report.shared.style import BLUE, GREEN, INK, ORANGE, PINK, SKY, Chart, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tfopt.core.records.report import Report

_MARKERS = "oDs^vP"


def charts(report: Report) -> tuple[Chart, ...]:
    """Every figure that the report has data for."""
    made = [_curves_chart(curves, report.metric) for curves in training_curves(report)]
    sparsity = sparsity_curves(report)
    if sparsity:
        made.append(_curves_chart(sparsity, report.metric))
    made += shrink_charts(report)
    layers = layer_table(report)
    if sparsity and layers.rows:
        made.append(_layers_chart(layers))
    # A bundle holds the other files once more, and has no metric.
    rows = tuple(row for row in export_rows(report) if row.format != "bundle")
    if rows:
        made.append(_sizes_chart(rows))
    treemap = layer_treemap(report)
    if treemap is not None:
        made.append(treemap)
    if any(row.metric is not None for row in rows):
        made.append(_metric_chart(rows, report.metric))
    return tuple(made)


def _curves_chart(curves: Curves, metric: str) -> Chart:
    # Measured sparsity should equal the plan: the broad line is visible below the dashed one.
    styles = {
        curves.measure: (BLUE, "-", 1.8, 2), f"val_{curves.measure}": (ORANGE, "--", 1.8, 3),
        "planned_sparsity": (INK, "--", 1.4, 3), "sparsity": (SKY, "-", 3.6, 2),
    }  # fmt: skip

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        _shade_stages(axes, curves)
        for line in curves.lines:
            colour, dashes, width, order = styles[line.key]
            for number, segment in enumerate(line.segments):
                steps, values = zip(*segment, strict=True)
                axes.plot(
                    steps, values, color=colour, linestyle=dashes, linewidth=width, zorder=order,
                    label=line.label if number == 0 else None, marker="o" if len(segment) < 3 else None, markersize=4,
                )  # fmt: skip
        axes.set_xlabel("optimizer step")
        if formats.is_fraction(curves.measure):
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}" if abs(value) <= 1.001 else "")
        if curves.measure == "sparsity":
            axes.set_ylim(-0.02, 1.02)
        axes.grid(axis="x", visible=False)
        axes.legend(loc=_free_corner(curves.measure))

    ends = ", ".join(
        f"{line.label} ends at {formats.measure(curves.measure, line.segments[-1][-1][1])}" for line in curves.lines
    )
    stages = ", ".join(f"{stage.name} (to step {stage.end})" for stage in curves.stages)
    name = "loss" if curves.measure == "loss" else "sparsity" if curves.measure == "sparsity" else "metric"
    title = "Sparsity, planned and measured" if name == "sparsity" else formats.spaced(curves.measure).capitalize()
    return Chart(name, title, f"{title} over the stages {stages}: {ends}.", svg(5.8, 3.1, draw))


def _free_corner(measure: str) -> Literal["upper left", "lower right", "upper right"]:
    """Where curves of this kind rarely are; the same in every run, so that two reports can be laid side by side."""
    if measure == "sparsity":
        return "upper left"
    return "lower right" if formats.is_fraction(measure) else "upper right"


def _shade_stages(axes: Axes, curves: Curves) -> None:
    """Every second stage on a tint, each with its name above, where it fits."""
    total = max(curves.stages[-1].end, 1)
    axes.set_xlim(0, total)
    for index, stage in enumerate(curves.stages):
        if index % 2:
            axes.axvspan(stage.begin, stage.end, facecolor=INK, alpha=0.1, linewidth=0)
        if (stage.end - stage.begin) / total > 0.018 * len(stage.name):
            middle = (stage.begin + stage.end) / 2
            axes.text(middle, 1.02, stage.name, transform=axes.get_xaxis_transform(), ha="center", va="bottom",
                      parse_math=False)  # fmt: skip


def _layers_chart(layers: LayerTable) -> Chart:
    rows = layers.rows

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        positions = range(len(rows))
        axes.barh(positions, [row.after_stages[-1] or 0.0 for row in rows], height=0.62, color=SKY,
                  label=f"after {layers.stages[-1]}")  # fmt: skip
        for index, name in enumerate(layers.files):
            spread = (index - (len(layers.files) - 1) / 2) * 0.16
            found = [(row.in_files[index], position + spread) for position, row in enumerate(rows)]
            axes.plot(
                [value for value, _ in found if value is not None], [at for value, at in found if value is not None],
                linestyle="none", marker=_MARKERS[index % len(_MARKERS)], markersize=4, label=f"in {name}",
                color=(ORANGE, GREEN, BLUE, PINK)[index % 4], clip_on=False, zorder=3,
            )  # fmt: skip
        _name_rows(axes, [row.name for row in rows])
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        figure.legend(loc="outside lower center", ncols=4, handletextpad=0.4, columnspacing=1.2)

    values = ", ".join(f"{row.name} {formats.percent(row.after_stages[-1])}" for row in rows)
    title = "Sparsity by layer"
    description = f"{title} after {layers.stages[-1]}: {values}."
    return Chart("layers", title, description, svg(5.8, max(3.1, 1.2 + 0.3 * len(rows)), draw), len(rows) > 12)


def _sizes_chart(rows: Sequence[ExportRow]) -> Chart:
    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for offset, colour, label, sizes in (
            (-0.19, SKY, "file", [row.bytes for row in rows]),
            (0.19, BLUE, "gzip", [row.gzip_bytes for row in rows]),
        ):
            positions = [position + offset for position in range(len(rows))]
            axes.barh(positions, [size / 1e3 for size in sizes], 0.36, color=colour, label=label)
            for size, position in zip(sizes, positions, strict=True):
                _label_right(axes, formats.size(size), size / 1e3, position)
        _name_rows(axes, [row.name for row in rows])
        axes.set_xlabel("kB")
        axes.margins(x=0.16)
        axes.legend(loc="lower right")

    found = "; ".join(f"{row.name} {formats.size(row.bytes)}, {formats.size(row.gzip_bytes)} with gzip" for row in rows)
    return Chart("sizes", "Size of each file", f"Size of each file: {found}.", svg(5.8, 1.0 + 0.5 * len(rows), draw))


def _metric_chart(rows: Sequence[ExportRow], metric: str) -> Chart:
    shown = [(row.metric, position) for position, row in enumerate(rows) if row.metric is not None]

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        values = [value for value, _ in shown]
        axes.plot(values, [position for _, position in shown], linestyle="none", marker="o", color=ORANGE, markersize=7)
        for value, position in shown:
            _label_right(axes, formats.measure(metric, value), value, position, 8)
        _name_rows(axes, [row.name for row in rows])
        if formats.is_fraction(metric):
            # A range of two points at least: noise of a tenth of a point must not look like a cliff.
            axes.set_xlim(min(min(values), max(values) - 0.02) - 0.003, max(values) + 0.006)
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:.1%}" if value <= 1.0001 else "")
        else:
            axes.margins(x=0.2)
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel(f"{formats.spaced(metric)} on the test split")

    title = f"{formats.spaced(metric).capitalize()} of each file"
    found = ", ".join(f"{rows[position].name} {formats.measure(metric, value)}" for value, position in shown)
    return Chart("files", title, f"{title}: {found}.", svg(5.8, 1.0 + 0.5 * len(rows), draw))


def _label_right(axes: Axes, text: str, value: float, position: float, points: int = 4) -> None:
    """A value to the right of its mark."""
    axes.annotate(text, (value, position), (points, 0), textcoords="offset points", va="center", fontsize=8.5)


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Names instead of numbers on the vertical axis, the first on top; names are never read as formulas."""
    axes.set_yticks(range(len(names)), [name.replace("$", r"\$") for name in names])
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.tick_params(axis="y", length=0, pad=8)
    axes.grid(axis="y", visible=False)
