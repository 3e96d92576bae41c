"""Figures of runs are drawn up to their rendering, which costs a second for each page."""

from __future__ import annotations

from tfopt.report.shared import style

_RENDERED = style.rendered


def render(*, on: bool) -> None:
    """Switches rendering: off in tests with TensorFlow, which train and export; tests of pages and the demo have it."""
    style.rendered = _RENDERED if on else lambda figure: "<svg></svg>"
