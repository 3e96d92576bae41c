"""What rich prints for every report: plain text, headings, indented sentences, tables. Nothing here prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

WIDE = 100
"""Columns from which a terminal has room for the spread of the latency."""


def plain_text(text: str, style: str = "") -> Text:
    """Text as it is: names of users are never read as markup."""
    from rich.text import Text

    return Text(text, style=style)


def heading(text: str) -> Text:
    """A title above a table."""
    return plain_text(f"\n{text}", "bold")


def indented(text: str, style: str = "") -> RenderableType:
    """A sentence set in by two columns, however many lines it takes."""
    from rich.padding import Padding

    return Padding(plain_text(text, style), (0, 0, 0, 2), expand=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], left: Sequence[int] = (0,)) -> Table:
    """A table without lines: the same in a terminal and in a pipe.

    Args:
        columns: the headers.
        rows: the cells; text is taken as it is, not as markup.
        left: positions of columns that are text, not numbers.
    """
    from rich.table import Table

    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_header=any(columns))
    for index, column in enumerate(columns):
        made.add_column(plain_text(column), justify="left" if index in left else "right", overflow="fold")
    for row in rows:
        made.add_row(*(plain_text(cell) if isinstance(cell, str) else cell for cell in row))
    return made
