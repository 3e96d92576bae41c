"""A filled curve out of characters, for terminals. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tfopt.report.run.curves import ScheduleCurve

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_PLAIN = "  ..::##"


def filled(values: Sequence[float], top: float, height: int, unicode: bool = True) -> list[str]:
    """One column per value, filled from the bottom.

    Args:
        values: what to draw, between 0 and `top`.
        top: value of a full column.
        height: number of text rows.
        unicode: draw with eighths of a block; otherwise with ASCII characters.

    Returns:
        `height` rows, top row first, each as wide as there are values.
    """
    marks = _EIGHTHS if unicode else _PLAIN
    steps = len(marks) - 1
    levels = [round(min(max(value / top, 0.0), 1.0) * height * steps) if top > 0 else 0 for value in values]
    rows = []
    for row in range(height - 1, -1, -1):
        rows.append("".join(marks[min(max(level - row * steps, 0), steps)] for level in levels))
    return rows


def schedule_plot(curve: ScheduleCurve, width: int = 76, height: int = 6, unicode: bool = True) -> list[str]:
    """A sparsity schedule over the steps of its stage, with axes.

    Args:
        curve: what to draw.
        width: characters of the whole plot.
        height: rows of the curve.
        unicode: see `filled`.

    Returns:
        The lines of the plot.
    """
    vertical, tick, corner, horizontal, mark = "│┤└─┴" if unicode else "|++-+"
    margin = 7
    columns = max(width - margin, 10)
    values = [_value_at(curve, column / (columns - 1)) for column in range(columns)]
    top = max(curve.final, *values)
    lines = []
    for index, row in enumerate(filled(values, top, height, unicode)):
        labels = {0: top, height // 2: top * (height - height // 2) / height}
        label = f"{labels[index]:5.0%} {tick}" if index in labels else f"{'':6}{vertical}"
        lines.append((label + row).rstrip())
    axis = [horizontal] * columns
    names = [" "] * columns
    for text, step in (
        ("step 0", 0), (f"{curve.total_steps}", curve.total_steps), (f"end {curve.end}", curve.end),
        (f"begin {curve.begin}", curve.begin),
    ):  # fmt: skip
        column = round(step / max(curve.total_steps, 1) * (columns - 1))
        start = min(max(column - len(text) // 2, 0), columns - len(text))
        around = names[max(start - 2, 0) : start + len(text) + 2]
        if all(character == " " for character in around):
            names[start : start + len(text)] = text
            axis[column] = mark
    lines.append(f"{0:5.0%} {corner}{''.join(axis)}")
    lines.append(f"{'':{margin}}{''.join(names)}".rstrip())
    return lines


def _value_at(curve: ScheduleCurve, progress: float) -> float:
    """The value of the last point at or before `progress` (0 to 1) of the stage: masks change in stairs."""
    step = progress * curve.total_steps
    return max((point for point in curve.points if point[0] <= step + 0.5), default=(0.0, 0.0))[1]
