"""Reads .npz and .csv files as data sources."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from tfopt.backend.types import Array
from tfopt.core.language.suggest import closest
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

if TYPE_CHECKING:
    from _csv import Reader as _Reader  # of the type stubs alone

TableExamples: TypeAlias = tuple[Array, Array | None]
"""Inputs and targets; targets None where the file has none."""
_NPZ_SPLITS = {
    "train": ("x_train", "y_train"),
    "validation": ("x_validation", "y_validation"),
    "test": ("x_test", "y_test"),
}
_MISSING = frozenset({"", "nan", "na", "n/a", "null", "none"})


def load_npz(path: Path) -> dict[str, TableExamples]:
    """Reads a NumPy archive.

    Args:
        path: with the arrays `x_train`, `y_train` and, if there, `x_validation`, `y_validation`, `x_test`, `y_test`; or
            with `x` and `y`. Without `y...` arrays, it holds inputs only.

    Returns:
        Inputs and targets by split.

    Raises:
        StageError: not such an archive, other arrays, or pickled objects (which could run code).
    """
    try:
        with path.open("rb") as stream, np.lib.npyio.NpzFile(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise StageError(
            f"{path} cannot be read as .npz: {error}.",
            "Write it with numpy.savez; arrays of Python objects are refused.",
            code="data_unreadable",
        ) from error
    names = {"x", "y", *(name for pair in _NPZ_SPLITS.values() for name in pair)}
    if not arrays.keys() <= names or not ({"x", "x_train"} & arrays.keys()) or {"x", "x_train"} <= arrays.keys():
        raise StageError(
            f"{path} holds the arrays {', '.join(sorted(arrays)) or '(none)'}.",
            "Expected x_train and y_train, optionally x_validation, y_validation, x_test and y_test; or x and y.",
            code="invalid_data",
        )
    if "x" in arrays:
        return {"train": (arrays["x"], arrays.get("y"))}
    return {split: (arrays[x], arrays.get(y)) for split, (x, y) in _NPZ_SPLITS.items() if x in arrays}


def load_csv(
    path: Path,
    *,
    target: str | None = None,
    features: list[str] | None = None,
    quantity: bool = False,
    delimiter: str = ",",
) -> TableExamples:
    """Reads a table of numbers with a header.

    Args:
        path: the file, UTF-8.
        target: column to predict; whole numbers and text are classes, other numbers are quantities. Without one, the
            table holds inputs only.
        features: columns that go in, in this order; all but the target if absent.
        quantity: whole numbers in the target are quantities, not classes.
        delimiter: what separates columns.

    Returns:
        Features (n, k) float32, and targets (n,): int64, float32 or text; None without a target column.

    Raises:
        StageError: no such column, a row of a different length, a missing value, or text in a feature; with the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = csv.reader(stream, delimiter=delimiter)
            header = [name.strip() for name in next(rows, [])]
            columns = _columns(path, header, target, features)
            lines, values = _cells(path, rows, header, columns if target is None else [*columns, header.index(target)])
    except (OSError, UnicodeDecodeError, csv.Error, TypeError) as error:
        raise StageError(f"{path} cannot be read as a table: {error}.", code="data_unreadable") from error
    if not values:
        raise StageError(f"{path} has a header and no rows.", code="data_missing")
    inputs = np.array(
        [_numbers(path, [row[k] for row in values], lines, header[column]) for k, column in enumerate(columns)],
        np.float32,
    ).T
    return np.ascontiguousarray(inputs), None if target is None else _targets([row[-1] for row in values], quantity)


def _columns(path: Path, header: list[str], target: str | None, features: list[str] | None) -> list[int]:
    if not header or len(set(header)) != len(header) or not all(header):
        raise StageError(
            f"{path}:1: every column needs a name of its own. Got {', '.join(map(repr, header)) or 'no header'}.",
            code="invalid_data",
        )
    chosen = features if features is not None else [name for name in header if name != target]
    for name in [*chosen, *([] if target is None else [target])]:
        if name not in header:
            raise StageError(
                f"{path}:1: there is no column {name!r}.{closest(name, header)}",
                f"Its columns: {', '.join(header)}.",
                code="unknown_column",
            )
    if target in chosen:
        raise StageError(
            f"{path}: the target {target!r} is also a feature.",
            "Take it out of args.features.",
            code="conflicting_keys",
        )
    if not chosen:
        raise StageError(f"{path}: there is no feature column.", code="invalid_data")
    return [header.index(name) for name in chosen]


def _cells(path: Path, rows: _Reader, header: list[str], columns: list[int]) -> tuple[list[int], list[list[str]]]:
    lines: list[int] = []
    values: list[list[str]] = []
    for row in rows:
        if not row:
            continue
        if len(row) != len(header):
            raise StageError(
                f"{path}:{rows.line_num}: {counted(len(row), 'value')}, but the header has "
                f"{counted(len(header), 'column')}.",
                code="invalid_data",
            )
        cells = [row[column].strip() for column in columns]
        for column, cell in zip(columns, cells, strict=True):
            if cell.lower() in _MISSING:
                raise StageError(
                    f"{path}:{rows.line_num}: the value of {header[column]!r} is missing ({row[column]!r}).",
                    "Fill it or remove the row; tfopt does not guess values.",
                    code="invalid_data",
                )
        lines.append(rows.line_num)
        values.append(cells)
    return lines, values


def _numbers(path: Path, cells: list[str], lines: list[int], column: str) -> Array:
    try:
        return np.array(cells, dtype=object).astype(np.float64)
    except ValueError:
        line, cell = next((line, cell) for line, cell in zip(lines, cells, strict=True) if not _is_number(cell))
        raise StageError(
            f"{path}:{line}: {column!r} is {cell!r}, not a number.",
            f"Encode it as numbers, or leave {column!r} out of features.",
            code="invalid_data",
        ) from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _targets(cells: list[str], quantity: bool) -> Array:
    if not all(map(_is_number, cells)):
        return np.array(cells)
    if not quantity and all(cell.lstrip("+-").isdigit() for cell in cells):
        return np.array(cells, dtype=object).astype(np.int64)
    return np.array(cells, dtype=object).astype(np.float64).astype(np.float32)
