"""A figure before it is drawn, and the style of its lines."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfopt.report.shared import formats
from tfopt.report.shared.style import BLUE, GREEN, ORANGE, PINK, SKY, STYLE, Chart, svg

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY)
_DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)))
_MARKERS = "os^DvPX*"
_PIXELS_PER_INCH = 160


@dataclass(frozen=True)
class Drawing:
    """A figure, ready to be drawn.

    Args:
        name: of the file, without its ending.
        title: what it shows.
        description: what it shows in words, for those who cannot see it.
        width: inches.
        height: inches.
        draw: draws on a matplotlib figure.
        tall: it needs a row of its own on the page.
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
    """Colour, dashes and marker of a family of variants."""

    family: str
    colour: str
    dashes: str | tuple[float, tuple[float, ...]]
    marker: str


def line_styles(families: dict[str, str]) -> dict[str, LineStyle]:
    """One style per family: colours first, then dashes."""
    order = list(dict.fromkeys(families.values()))
    styles = {
        family: LineStyle(
            family,
            _COLOURS[index % len(_COLOURS)],
            _DASHES[index // len(_COLOURS) % len(_DASHES)],
            _MARKERS[index % len(_MARKERS)],
        )
        for index, family in enumerate(order)
    }
    return {name: styles[family] for name, family in families.items()}


def percent_axis(axis: Axis, measure: str) -> None:
    """Percent signs on the axis of a fraction, with as many digits as its ticks need."""
    if not formats.is_fraction(measure):
        return

    def tick_label(value: float, position: float | None) -> str:
        uneven = any(abs(100 * tick - round(100 * tick)) > 1e-6 for tick in axis.get_majorticklocs())
        digits = 1 if uneven else 0
        return f"{value:.{digits}%}" if -0.0001 <= value <= 1.0001 else ""

    axis.set_major_formatter(tick_label)


def plain(name: str) -> str:
    """A name that is never read as a formula, and that a legend does not leave out."""
    return name.lstrip("_").replace("$", r"\$") or "recipe"
