"""Sparsity schedules side by side, as one SVG."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING

from tfopt.report.shared.style import BLUE, INK, Chart, svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tfopt.core.config.schedules import ResolvedSchedule

COLUMNS = 5
"""Maximum number of figures in a row."""


def schedules_chart(schedules: Mapping[str, ResolvedSchedule]) -> Chart:
    """One small figure per schedule, all with the same axes; every step of a curve is an update of the masks.

    Args:
        schedules: in steps, by the title of each figure.
    """
    columns = min(COLUMNS, len(schedules))
    rows = ceil(len(schedules) / columns)

    def draw(figure: Figure) -> None:
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axes in grid.flat[len(schedules) :]:
            axes.set_visible(False)
        for axes, (title, schedule) in zip(grid.flat, schedules.items(), strict=False):
            first = [(0, 0.0)] if schedule.mask_updates[0][0] > 0 else []
            points = [
                *first,
                *schedule.mask_updates,
                (schedule.total_steps, schedule.sparsity_at(schedule.total_steps)),
            ]
            shares = [step / schedule.total_steps for step, _ in points]
            values = [sparsity for _, sparsity in points]
            axes.fill_between(shares, values, step="post", color=BLUE, alpha=0.15, linewidth=0)
            axes.step(shares, values, where="post", color=BLUE, linewidth=1.4)
            axes.axvline(schedule.end / schedule.total_steps, color=INK, linewidth=0.7, linestyle=":")
            axes.set_title(title, fontsize=9, color=INK, parse_math=False)
            axes.set(xlim=(0, 1), ylim=(0, 1))
            axes.set(xticks=(0, 0.5), xticklabels=("0%", "50%"), yticks=(0, 0.5, 1), yticklabels=("0%", "50%", "100%"))
        figure.supxlabel("fraction of the stage", fontsize=9, color=INK)
        figure.supylabel("sparsity", fontsize=9, color=INK)

    ends = ", ".join(
        f"{title} to {schedule.sparsity_at(schedule.total_steps):.0%} in {len(schedule.mask_updates)} mask updates"
        for title, schedule in schedules.items()
    )
    size = (1.3 + 1.7 * columns, 0.5 + 1.6 * rows)
    return Chart("schedules", "Sparsity schedules", f"Sparsity schedules: {ends}.", svg(*size, draw), tall=True)
