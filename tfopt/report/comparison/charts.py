"""The figures of a comparison: metric by sparsity and by cost, curves over steps, sparsity of each layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfopt.core.sweeps.verdicts import by_sparsity
from tfopt.report.comparison import data
from tfopt.report.comparison.fronts import by_family, front_drawings, macs_differ, room
from tfopt.report.shared import formats
from tfopt.report.shared.drawing import Drawing, LineStyle, line_styles, percent_axis, plain
from tfopt.report.shared.style import BLUE, INK, TEXT

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tfopt.core.sweeps.candidates import Candidate
    from tfopt.core.sweeps.comparison import Comparison
    from tfopt.core.sweeps.rows import Row

_MOST_PANELS = 4


def drawings(comparison: Comparison, candidates: Sequence[Candidate]) -> tuple[Drawing, ...]:
    """Every figure that there is data for.

    Args:
        comparison: the table.
        candidates: the runs behind it.
    """
    styles = line_styles(data.drawn_families(comparison))
    curves = data.variant_curves(candidates, comparison.metric)
    made: list[Drawing | None] = [
        _metric_by_sparsity(comparison, styles, data.dense_metric(candidates, comparison.metric)),
        *front_drawings(comparison, candidates, styles),
        _sparsity_over_steps(comparison, curves, styles),
        _metric_over_steps(comparison, curves, styles),
        _layers(data.layer_grid(comparison, candidates)),
    ]
    return tuple(drawing for drawing in made if drawing is not None)


def _metric_by_sparsity(comparison: Comparison, styles: dict[str, LineStyle], dense: float | None) -> Drawing | None:
    rows = [row for row in comparison.rows if row.metric is not None and row.sparsity is not None]
    if not rows or (macs_differ(comparison) and len({round(row.sparsity or 0.0, 3) for row in rows}) == 1):
        return None
    metric = comparison.metric
    lines = by_family(rows, styles)
    sparsities = [row.sparsity or 0.0 for row in rows]
    span = max(sparsities) - min(sparsities) or 0.1

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for index, (style, members) in enumerate(lines):
            # Shifted a little, so that error bars of one sparsity do not cover each other.
            shift = 0.004 * span * (index - (len(lines) - 1) / 2)
            members = sorted(members, key=lambda row: row.sparsity or 0.0)
            axes.errorbar(
                [(row.sparsity or 0.0) + shift for row in members],
                [row.metric or 0.0 for row in members],
                yerr=[row.spread or 0.0 for row in members],
                color=style.colour, linestyle=style.dashes, marker=style.marker, markersize=5, linewidth=1.4,
                capsize=2.5, elinewidth=1, label=plain(style.family),
            )  # fmt: skip
        if dense is not None:
            axes.axhline(dense, color=INK, linewidth=1, linestyle=(0, (4, 3)))
            axes.annotate(
                "dense", (1, dense), (-2, 3), xycoords=("axes fraction", "data"), textcoords="offset points", ha="right"
            )
        percent_axis(axes.xaxis, "sparsity")
        percent_axis(axes.yaxis, metric)
        axes.set_xlabel("measured sparsity (points shifted slightly)")
        axes.set_ylabel(f"{formats.spaced(metric)}, mean ± standard deviation")
        axes.margins(x=0.08)
        figure.legend(loc="outside lower center", ncols=4, columnspacing=1.2, handlelength=2.8)

    words = "; ".join(
        f"{row.name}: {formats.measure(metric, row.metric)} at {formats.percent(row.sparsity)}" for row in rows
    )
    title = f"{formats.spaced(metric).capitalize()} against sparsity, over all seeds"
    height = 3.3 + 0.2 * (-(-len(lines) // 4))
    width, wide = room(lines)
    return Drawing("metric_by_sparsity", title, f"{title}: {words}.", width, height, draw, tall=wide)


def _sparsity_over_steps(
    comparison: Comparison, curves: dict[str, data.VariantCurves], styles: dict[str, LineStyle]
) -> Drawing | None:
    panels, left_out = _panels(comparison, curves)
    if not panels:
        return None

    def draw(figure: Figure) -> None:
        every = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
        for axes, members in zip(every, panels, strict=True):
            for row in members:
                style, curve = styles[row.name], curves[row.name]
                axes.plot(*zip(*curve.planned, strict=True), color=style.colour, alpha=0.28, linewidth=5,
                          solid_capstyle="butt")  # fmt: skip
                axes.plot(*zip(*curve.sparsity, strict=True), color=style.colour, linestyle=style.dashes, linewidth=1.5,
                          label=plain(style.family))  # fmt: skip
            _panel_title(axes, members)
            axes.set_ylim(0, 1)
            axes.set_xlim(left=0)
            axes.set_xlabel("step since pruning began")
            percent_axis(axes.yaxis, "sparsity")
        every[0].set_ylabel("sparsity")
        _legend_of_all(figure, every)

    title = "Sparsity over steps: planned (wide) and measured (thin)"
    ends = "; ".join(
        f"{row.name}: {formats.percent(curves[row.name].planned[-1][1])} and {formats.percent(row.sparsity)} at the end"
        for members in panels
        for row in members
    )
    return Drawing(
        "sparsity_over_steps", title, f"{title}{left_out}: {ends}.", _width(panels), 3.2, draw, tall=len(panels) > 1
    )


def _metric_over_steps(
    comparison: Comparison, curves: dict[str, data.VariantCurves], styles: dict[str, LineStyle]
) -> Drawing | None:
    panels, left_out = _panels(comparison, {name: curve for name, curve in curves.items() if curve.metric})
    if not panels:
        return None
    metric = comparison.metric

    def draw(figure: Figure) -> None:
        grid = figure.subplots(2, len(panels), sharex=True, sharey="row", squeeze=False, height_ratios=[1, 2])
        for upper, lower, members in zip(*grid, panels, strict=True):
            for row in members:
                style, curve = styles[row.name], curves[row.name]
                upper.plot(
                    *zip(*curve.sparsity, strict=True), color=style.colour, linestyle=style.dashes, linewidth=1.2
                )
                steps, middle = zip(*curve.metric, strict=True)
                lower.plot(steps, middle, color=style.colour, linestyle=style.dashes, linewidth=1.5,
                           label=plain(style.family))  # fmt: skip
                low, high = ([value for _, value in edge] for edge in (curve.low, curve.high))
                lower.fill_between(steps, low, high, color=style.colour, alpha=0.13, linewidth=0)
            _panel_title(upper, members)
            upper.set_ylim(0, 1)
            percent_axis(upper.yaxis, "sparsity")
            percent_axis(lower.yaxis, metric)
            lower.set_xlim(left=0)
            lower.set_xlabel("step since pruning began")
        grid[0][0].set_ylabel("sparsity")
        grid[1][0].set_ylabel(f"validation {formats.spaced(metric)}")
        _legend_of_all(figure, grid[1])

    title = f"Validation {formats.spaced(metric)} under the sparsity curve, mean and range over seeds"
    ends = "; ".join(
        f"{row.name} ends at {formats.measure(metric, curves[row.name].metric[-1][1])}"
        for members in panels
        for row in members
    )
    return Drawing(
        "metric_over_steps", title, f"{title}{left_out}: {ends}.", _width(panels), 4.4, draw, tall=len(panels) > 1
    )


def _layers(grid: data.LayerGrid | None) -> Drawing | None:
    if grid is None:
        return None

    def draw(figure: Figure) -> None:
        from matplotlib.patches import Rectangle

        axes = figure.add_subplot()
        for position, values in enumerate(grid.values):
            for column, value in enumerate(values):
                if value is not None:
                    axes.add_patch(Rectangle((column - 0.48, position - 0.46), 0.96, 0.92, facecolor=BLUE, linewidth=0,
                                             alpha=0.04 + 0.5 * max(0.0, value) ** 2))  # fmt: skip
                axes.text(
                    column, position, formats.percent(value, 0), ha="center", va="center", color=TEXT, fontsize=8.5
                )
        axes.set_xlim(-0.5, len(grid.layers) - 0.5)
        axes.set_ylim(len(grid.variants) - 0.5, -0.5)
        axes.set_xticks(range(len(grid.layers)), [plain(name) for name in grid.layers])
        axes.set_yticks(range(len(grid.variants)), [plain(name) for name in grid.variants])
        axes.tick_params(length=0)
        axes.xaxis.tick_top()
        if len(grid.layers) > 6:
            axes.tick_params(axis="x", rotation=40)
        axes.grid(visible=False)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)

    title = "Sparsity of each layer after the last stage"
    cells = "; ".join(
        f"{name}: "
        + ", ".join(f"{layer} {formats.percent(v, 0)}" for layer, v in zip(grid.layers, values, strict=True))
        for name, values in zip(grid.variants, grid.values, strict=True)
    )
    width = max(9.0, min(14.0, 2.2 + 0.75 * len(grid.layers)))
    return Drawing("layers", title, f"{title}. {cells}.", width, 0.7 + 0.27 * len(grid.variants), draw, tall=True)


def _panels(comparison: Comparison, curves: dict[str, data.VariantCurves]) -> tuple[list[list[Row]], str]:
    """One panel per sparsity, and what to say of those for which there is no room."""
    levels = [[row for row in level if row.name in curves] for level in by_sparsity(comparison.rows)]
    levels = [level for level in levels if level]
    shown = levels[-_MOST_PANELS:]
    return shown, f" (the sparsest {len(shown)} of {len(levels)} levels)" if len(shown) < len(levels) else ""


def _panel_title(axes: Axes, members: Sequence[Row]) -> None:
    sparsities = [row.sparsity for row in members if row.sparsity is not None]
    if sparsities:
        axes.set_title(f"{formats.percent(sum(sparsities) / len(sparsities), 0)} sparse", fontsize=9, color=INK)


def _legend_of_all(figure: Figure, every: Sequence[Axes]) -> None:
    """One legend for all panels, each family once."""
    handles: dict[str, Artist] = {}
    for axes in every:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=min(4, len(handles)),
        columnspacing=1.4,
        handlelength=2.8,
    )


def _width(panels: Sequence[object]) -> float:
    return 5.8 if len(panels) == 1 else max(9.6, 3.0 * len(panels) + 0.6)
