"""Bytes of each file by layer, as areas."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfopt.core.records.layer_sizes import REST, LayerSizeRecord
from tfopt.report.shared import formats
from tfopt.report.shared.style import BLUE, GREEN, INK, ORANGE, PINK, SKY, Chart, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tfopt.core.records.report import Report

_COLOURS = (SKY, ORANGE, GREEN, PINK, BLUE)
_WIDTH, _HEIGHT = 5.8, 1.5
"""Inches of the figure, and of each file in it."""
_LETTER = 0.068
"""Inches that a letter takes on average."""
_MOST = 24


@dataclass(frozen=True)
class Rectangle:
    """A part of a rectangle, in its unit; y grows downwards."""

    x: float
    y: float
    width: float
    height: float


def layer_treemap(report: Report) -> Chart | None:
    """One row per `.tflite`, each area a layer; None where no file has sizes by layer."""
    files = [
        (export.name, _few(export.audit.layer_sizes))
        for export in report.exports
        if export.audit is not None and export.audit.layer_sizes
    ]
    if not files:
        return None
    layers = list(dict.fromkeys(size.layer for _, sizes in files for size in sizes if size.layer != REST))
    colours = {layer: _COLOURS[index % len(_COLOURS)] for index, layer in enumerate(layers)}

    def draw(figure: Figure) -> None:
        for index, (name, sizes) in enumerate(files):
            axes = figure.add_subplot(len(files), 1, index + 1)
            whole = formats.size(sum(size.bytes for size in sizes))
            axes.set_title(f"{name}  {whole}", fontsize=9, color=INK, loc="left", parse_math=False)
            axes.set_axis_off()
            axes.set_xlim(0, _WIDTH)
            axes.set_ylim(_HEIGHT, 0)
            for size, area in zip(sizes, squarified([size.bytes for size in sizes], _WIDTH, _HEIGHT), strict=True):
                _tile(axes, size, area, colours.get(size.layer, INK))

    found = "; ".join(
        f"{name}: " + ", ".join(f"{size.layer} {formats.size(size.bytes)}" for size in sizes) for name, sizes in files
    )
    figure = svg(_WIDTH, (_HEIGHT + 0.35) * len(files), draw)
    return Chart("layer_bytes", "Bytes by layer", f"Bytes of each file by layer. {found}.", figure, len(files) > 2)


def _few(sizes: Sequence[LayerSizeRecord]) -> list[LayerSizeRecord]:
    """The largest, and all others as one."""
    ordered = sorted(sizes, key=lambda size: -size.bytes)
    shown, others = ordered[:_MOST], ordered[_MOST:]
    if not others:
        return shown
    rest = LayerSizeRecord(layer=f"{len(others)} more", bytes=sum(size.bytes for size in others))
    return sorted([*shown, rest], key=lambda size: -size.bytes)


def _tile(axes: Axes, size: LayerSizeRecord, area: Rectangle, colour: str) -> None:
    from matplotlib.patches import Rectangle as Patch

    strength = 0.12 if size.layer == REST else 0.45
    axes.add_patch(Patch((area.x, area.y), area.width, area.height, facecolor=colour, alpha=strength, edgecolor="none"))
    axes.add_patch(Patch((area.x, area.y), area.width, area.height, fill=False, edgecolor=INK, linewidth=0.6))
    label = f"{size.layer}\n{formats.size(size.bytes)}"
    longest = max(len(line) for line in label.splitlines())
    if longest * _LETTER < area.width and area.height > 0.3:
        axes.text(
            area.x + area.width / 2, area.y + area.height / 2, label, ha="center", va="center", fontsize=8,
            parse_math=False,
        )  # fmt: skip


def squarified(sizes: Sequence[float], width: float, height: float) -> list[Rectangle]:
    """Rectangles with areas in proportion to sizes, as square as a row allows (Bruls, Huizing, van Wijk, "Squarified
    treemaps", 2000).

    Args:
        sizes: positive, the largest first.
        width: of the rectangle that they fill.
        height: of it.
    """
    total = sum(sizes)
    if not total:
        return [Rectangle(0, 0, 0, 0) for _ in sizes]
    return list(_rows([size * width * height / total for size in sizes], Rectangle(0, 0, width, height)))


def _rows(areas: Sequence[float], free: Rectangle) -> Iterator[Rectangle]:
    while areas:
        side = min(free.width, free.height)
        number = 1
        while number < len(areas) and _worst(areas[: number + 1], side) <= _worst(areas[:number], side):
            number += 1
        row, areas = areas[:number], areas[number:]
        across = sum(row) / side if side else 0.0
        at = 0.0
        for area in row:
            along = area / across if across else 0.0
            if free.width >= free.height:
                yield Rectangle(free.x, free.y + at, across, along)
            else:
                yield Rectangle(free.x + at, free.y, along, across)
            at += along
        if free.width >= free.height:
            free = Rectangle(free.x + across, free.y, max(free.width - across, 0), free.height)
        else:
            free = Rectangle(free.x, free.y + across, free.width, max(free.height - across, 0))


def _worst(row: Sequence[float], side: float) -> float:
    """The longest of the rectangles of a row: its larger side over the smaller one."""
    across = sum(row) / side if side else 0.0
    if not across or not min(row):
        return math.inf
    return max(max(area / across / across, across / (area / across)) for area in row)
