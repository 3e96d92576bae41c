"""A .csv file as text: a header, and rows with their line numbers; columns are turned into numbers on demand."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfopt.backend.types import Array
from tfopt.core.language.suggest import closest
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

_MISSING = frozenset({"", "nan", "na", "n/a", "null", "none"})


@dataclass(frozen=True)
class Table:
    """What is in a file.

    Args:
        path: of the file.
        header: names of the columns.
        lines: where each row is, from 1.
        rows: cells without blanks around them.
    """

    path: Path
    header: Sequence[str]
    lines: Sequence[int]
    rows: Sequence[Sequence[str]]

    def check(self, columns: Sequence[str]) -> None:
        """Whether there are such columns, and whether each row has a value in them.

        Raises:
            StageError: there is no such column, or a value is missing; with the line.
        """
        for name in columns:
            if name not in self.header:
                raise StageError(
                    f"{self.path}:1: there is no column {name!r}.{closest(name, self.header)}",
                    f"Its columns: {', '.join(self.header)}.",
                    code="unknown_column",
                )
        positions = [self.header.index(name) for name in columns]
        for line, row in zip(self.lines, self.rows, strict=True):
            for position in positions:
                if row[position].lower() in _MISSING:
                    raise StageError(
                        f"{self.path}:{line}: the value of {self.header[position]!r} is missing ({row[position]!r}).",
                        "Fill it or remove the row; tfopt does not guess values.",
                        code="invalid_data",
                    )

    def cells(self, column: str) -> list[str]:
        """The text of a column."""
        position = self.header.index(column)
        return [row[position] for row in self.rows]

    def numbers(self, column: str) -> Array:
        """A column as float64.

        Raises:
            StageError: a cell is no number; with the line.
        """
        cells = self.cells(column)
        try:
            return np.array(cells, dtype=object).astype(np.float64)
        except ValueError:
            line, cell = next((line, cell) for line, cell in zip(self.lines, cells, strict=True) if not is_number(cell))
            raise StageError(
                f"{self.path}:{line}: {column!r} is {cell!r}, not a number.",
                f"Encode it as numbers, or leave {column!r} out.",
                code="invalid_data",
            ) from None

    def targets(self, column: str, quantity: bool) -> Array:
        """A column to predict, (n,): text, whole numbers, or quantities as float32.

        Args:
            column: its name.
            quantity: whether whole numbers are quantities, not classes.
        """
        cells = self.cells(column)
        if not all(map(is_number, cells)):
            return np.array(cells)
        if not quantity and all(cell.lstrip("+-").isdigit() for cell in cells):
            return np.array(cells, dtype=object).astype(np.int64)
        return np.array(cells, dtype=object).astype(np.float64).astype(np.float32)


def read_table(path: Path, delimiter: str) -> Table:
    """Reads a file.

    Args:
        path: UTF-8, with a header.
        delimiter: what separates columns.

    Raises:
        StageError: it cannot be read, has no rows, names that are not unique, or a row of another length.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = csv.reader(stream, delimiter=delimiter)
            header = [name.strip() for name in next(rows, [])]
            content = [(rows.line_num, [cell.strip() for cell in row]) for row in rows if row]
    except (OSError, UnicodeDecodeError, csv.Error, TypeError) as error:
        raise StageError(f"{path} cannot be read as a table: {error}.", code="data_unreadable") from error
    if not header or len(set(header)) != len(header) or not all(header):
        raise StageError(
            f"{path}:1: every column needs a name of its own. Got {', '.join(map(repr, header)) or 'no header'}.",
            code="invalid_data",
        )
    for line, row in content:
        if len(row) != len(header):
            raise StageError(
                f"{path}:{line}: {counted(len(row), 'value')}, but the header has {counted(len(header), 'column')}.",
                code="invalid_data",
            )
    if not content:
        raise StageError(f"{path} has a header and no rows.", code="data_missing")
    return Table(path, header, [line for line, _ in content], [row for _, row in content])


def is_number(cell: str) -> bool:
    """Whether a cell is a number, or NaN or infinite."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
