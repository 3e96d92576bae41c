"""Colours and style of all charts, and how one becomes SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


BLUE, ORANGE, GREEN, SKY, PINK = "#0072b2", "#d55e00", "#009e73", "#56b4e9", "#cc79a7"
INK, TEXT = "#6e7781", "#1f2328"


# Any: the keys are a Literal of matplotlib from 3.11 on, and a str before.
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "tfopt", "svg.fonttype": "none", "font.size": 9, "font.family": "sans-serif",
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6, "axes.grid": True, "grid.color": INK,
    "grid.alpha": 0.25, "grid.linewidth": 0.5, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "legend.frameon": False, "figure.dpi": 72,
}  # fmt: skip


@dataclass(frozen=True)
class Chart:
    """One figure.

    Args:
        name: of the file, without its ending.
        title: what it shows.
        description: what it shows in words, for those who cannot see it.
        svg: a whole SVG document.
        tall: it needs a row of its own.
    """

    name: str
    title: str
    description: str
    svg: str
    tall: bool = False


def svg(width: float, height: float, draw: Callable[[Figure], None]) -> str:
    """An SVG document of `width` x `height` inches."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        document = rendered(figure)
    return re.sub(r"<metadata>.*?</metadata>\s*", "", document, flags=re.DOTALL)


def rendered(figure: Figure) -> str:
    """A figure as SVG, with Matplotlib's own metadata."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
