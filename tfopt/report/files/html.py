"""Where the accuracy of a file went, as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfopt.report.shared import explanation as rows
from tfopt.report.shared.page import template

if TYPE_CHECKING:
    from tfopt.core.records.explanation import ExplanationRecord


def render(explanation: ExplanationRecord, name: str) -> str:
    """The page as text.

    Args:
        explanation: of a file.
        name: of the file.
    """
    return template("explanation_page.html.j2").render(explanation=explanation, name=name, x=rows)


def write_page(explanation: ExplanationRecord, name: str, path: Path) -> Path:
    """Writes the page.

    Raises:
        OSError: it cannot be written.
    """
    path.write_text(render(explanation, name), encoding="utf-8")
    return path
