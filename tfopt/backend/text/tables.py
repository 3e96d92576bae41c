"""Texts and labels of tables: CSV, TSV, and JSONL with an object in each line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from tfopt.backend.text.decoding import decoded
from tfopt.backend.types import Array
from tfopt.core.config.text.text import TextConfig
from tfopt.core.language.suggest import closest
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

Text: TypeAlias = str | tuple[str, str]
"""A text, or a pair of texts."""
Texts: TypeAlias = tuple[list[Text], Array | None]
"""Texts, and the label of each: text, int64 classes or float32 quantities; None for a language model."""

_LONGEST_CELL = 2**31 - 1
_Row = tuple[int, Mapping[str, object]]
"""A line number, and the row's values by column."""


def read_table(path: Path, config: TextConfig, *, delimiter: str | None = None) -> Texts:
    """Reads a .csv or .tsv.

    Args:
        path: of the table, whose first line names the columns.
        config: columns and encoding.
        delimiter: what separates columns (default: a comma, and a tab in .tsv).

    Raises:
        StageError: it cannot be read, a column is not there, a text is empty, or a label is missing; with the line.
    """
    return _texts(path, list(_of_csv(path, decoded(path, config.encoding), delimiter)), config)


def read_jsonl(path: Path, config: TextConfig) -> Texts:
    """Reads a .jsonl: an object in each line.

    Raises:
        StageError: as `read_table`.
    """
    return _texts(path, list(_of_jsonl(path, decoded(path, config.encoding))), config)


def _texts(path: Path, rows: Sequence[_Row], config: TextConfig) -> Texts:
    if not rows:
        raise StageError(f"{path} has no rows.", code="data_missing")
    texts = [_text(path, row, config.columns) for row in rows]
    if config.is_language_model:
        return texts, None
    values = [_value(path, row, config.label_column, "data.text.label") for row in rows]
    return texts, labels_of(values, config.quantity, [f"{path}:{line}" for line, _ in rows])


def labels_of(values: Sequence[object], quantity: bool, places: Sequence[str]) -> Array:
    """Labels as one array: names of classes, int64 classes, or float32 quantities.

    Args:
        values: of one column: strings, or values of JSON. Strings that are all numbers count as numbers.
        quantity: numbers are no classes.
        places: where each is, for errors.

    Raises:
        StageError: one is missing, they are of different types, or text where quantities are wanted.
    """
    for value, place in zip(values, places, strict=True):
        if value is None or (isinstance(value, str) and not value.strip()):
            raise StageError(f"{place}: the label is missing.", "Fill it or remove the row.", code="invalid_data")
        if not isinstance(value, (str, int, float, np.integer, np.floating, np.bool_)):
            raise StageError(
                f"{place}: the label is a {type(value).__name__}.", "Expected text or a number.", code="invalid_data"
            )
    texts = [isinstance(value, str) for value in values]
    if any(texts) and not all(texts):
        other = texts.index(not texts[0])
        raise StageError(
            f"{places[other]}: the label {values[other]!r} is {'text' if texts[other] else 'a number'}, unlike that of "
            f"{places[0]}, {values[0]!r}.",
            "Write all labels as text, or all as numbers.",
            code="invalid_data",
        )
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    cells = [value.strip() if isinstance(value, str) else value for value in plain]
    numbers = _numbers(cells)
    if numbers is None:
        if quantity:
            wrong = next(k for k, cell in enumerate(cells) if _numbers([cell]) is None)
            raise StageError(
                f"{places[wrong]}: the label {cells[wrong]!r} is no number, but data.text.quantity is true.",
                "Remove data.text.quantity, or correct the label.",
                code="invalid_data",
            )
        return np.array(cells)
    whole = all(isinstance(cell, int) or str(cell).lstrip("+-").isdigit() for cell in cells)
    return numbers.astype(np.int64) if whole and not quantity else numbers.astype(np.float32)


def _numbers(cells: Sequence[object]) -> Array | None:
    try:
        return np.array(cells, dtype=object).astype(np.float64)
    except ValueError:
        return None


def _of_csv(path: Path, content: str, delimiter: str | None) -> Iterator[_Row]:
    tabs = path.suffix.lower() == ".tsv"
    if delimiter is not None and len(delimiter) != 1:
        raise StageError(f"args.delimiter must be one character. Got {delimiter!r}.", code="invalid_argument")
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        # A quotation mark in a .tsv is part of the text, as most corpora have it; in a .csv it begins a cell.
        rows = csv.reader(
            io.StringIO(content, newline=""),
            delimiter=delimiter or ("\t" if tabs else ","),
            quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
            strict=True,
        )
        header = [name.strip() for name in next(rows, [])]
        if not header or len(set(header)) != len(header) or not all(header):
            raise StageError(
                f"{path}:1: every column needs a name of its own. Got {', '.join(map(repr, header)) or 'no header'}.",
                code="invalid_data",
            )
        for row in rows:
            if not row:
                continue
            if len(row) != len(header):
                raise StageError(
                    f"{path}:{rows.line_num}: {counted(len(row), 'value')}, but the header has "
                    f"{counted(len(header), 'column')}.",
                    "Quote texts that contain the delimiter." if not tabs else "",
                    code="invalid_data",
                )
            yield rows.line_num, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise StageError(f"{path} cannot be read as a table: {error}.", code="data_unreadable") from error
    finally:
        csv.field_size_limit(before)


def _of_jsonl(path: Path, content: str) -> Iterator[_Row]:
    for line, text in enumerate(content.split("\n"), 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except ValueError as error:
            raise StageError(
                f"{path}:{line} is no JSON: {error}.", "Expected one object a line.", code="data_unreadable"
            ) from error
        if not isinstance(row, dict):
            raise StageError(
                f"{path}:{line} is a {type(row).__name__}.", "Expected one object a line.", code="data_unreadable"
            )
        yield line, row


def _text(path: Path, row: _Row, columns: Sequence[str]) -> Text:
    values = [_value(path, row, column, "data.text.column") for column in columns]
    texts: list[str] = []
    for column, value in zip(columns, values, strict=True):
        if not isinstance(value, str):
            what = "missing" if value is None else f"a {type(value).__name__}, not a text"
            raise StageError(
                f"{path}:{row[0]}: {column!r} is {what}.", "Fill it or remove the row.", code="invalid_data"
            )
        if not value.strip():
            raise StageError(
                f"{path}:{row[0]}: the text in {column!r} is empty.", "Fill it or remove the row.", code="invalid_data"
            )
        texts.append(value)
    return texts[0] if len(texts) == 1 else (texts[0], texts[1])


def _value(path: Path, row: _Row, column: str, key: str) -> object:
    line, values = row
    if column not in values:
        raise StageError(
            f"{path}:{line}: there is no {column!r}.{closest(column, values)}",
            f"Name one of its columns in {key}: {', '.join(map(str, values))}.",
            code="unknown_column",
        )
    return values[column]
