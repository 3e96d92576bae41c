"""A figure before it is drawn, and how its lines look."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tfopt.report.shared import formats
from tfopt.report.shared.style import BLUE, GREEN, ORANGE, PINK, SKY, STYLE, Chart, svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY)
_DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)))
_MARKERS = "os^DvPX*"
_PIXELS_PER_INCH = 160


@dataclass(frozen=True)
class Drawing:
    """A figure that is not drawn yet.

    Args:
        name: of the file, without its ending.
        title: what it shows.
        description: what it shows in words, for those who cannot see it.
        width: inches.
        height: inches.
        draw: puts it on a matplotlib figure.
        tall: it wants a row of its own on the page.
    """

    name: str
    title: str
    description: str
    width: float
    height: float
    draw: Callable[[Figure], None]
    tall: bool = False

    def chart(self) -> Chart:
        """As SVG; the same data gives the same bytes."""
        return Chart(self.name, self.title, self.description, svg(self.width, self.height, self.draw), tall=self.tall)

    def png(self) -> bytes:
        """As PNG on white."""
        import matplotlib
        from matplotlib.figure import Figure

        with matplotlib.rc_context(STYLE):
            figure = Figure(figsize=(self.width, self.height), layout="constrained", facecolor="white")
            self.draw(figure)
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=_PIXELS_PER_INCH, metadata={"Software": None})
        return buffer.getvalue()


@dataclass(frozen=True)
class LineStyle:
    """How the lines and points of a family of variants look."""

    family: str
    colour: str
    dashes: Any
    marker: str


def line_styles(families: dict[str, str]) -> dict[str, LineStyle]:
    """One look per family: colours first, then dashes."""
    order = list(dict.fromkeys(families.values()))
    looks = {
        family: LineStyle(
            family,
            _COLOURS[index % len(_COLOURS)],
            _DASHES[index // len(_COLOURS) % len(_DASHES)],
            _MARKERS[index % len(_MARKERS)],
        )
        for index, family in enumerate(order)
    }
    return {name: looks[family] for name, family in families.items()}


def percent_axis(axis: Any, measure: str) -> None:
    """Percent signs on the axis of a share, with as many digits as its ticks need."""
    if not formats.is_fraction(measure):
        return

    def spelled(value: float, position: int | None) -> str:
        broken = any(abs(100 * tick - round(100 * tick)) > 1e-6 for tick in axis.get_majorticklocs())
        digits = 1 if broken else 0
        return f"{value:.{digits}%}" if -0.0001 <= value <= 1.0001 else ""

    axis.set_major_formatter(spelled)


def plain(name: str) -> str:
    """A name that is never read as a formula, and that a legend does not leave out."""
    return name.lstrip("_").replace("$", r"\$") or "recipe"
