"""Reads a .csv file, or a folder of them, as time series."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from tfopt.backend.data.prepared import Prepared
from tfopt.backend.data.tables.series import Series, WindowKeys, windows
from tfopt.backend.data.tables.table import Table, read_table
from tfopt.core.config.data import Splits
from tfopt.errors import StageError


def load_series(
    path: Path,
    shares: Splits,
    *,
    window: int,
    stride: int = 1,
    columns: list[str] | None = None,
    time: str | None = None,
    target: str | None = None,
    horizon: int = 0,
    anomaly: str | None = None,
    quantity: bool = False,
    delimiter: str = ",",
) -> Prepared:
    """Reads series with a header and a row for each moment, in the order of time.

    Args:
        path: a .csv file, or a folder of them, each a series of its own.
        shares: of validation and test: the rows after those of training, so that no split sees the future.
        window: rows of an example.
        stride: rows from the beginning of an example to that of the next.
        columns: what goes in, in this order; all but `time`, `target` and `anomaly` if absent.
        time: column of the moment, a number or a date of ISO 8601, which must never go back; it does not go in.
        target: column to predict: its value in the last row of a window, or `horizon` rows later. Whole numbers and
            text are classes. Without one, the examples have no targets (`data.targets: inputs`).
        horizon: rows from the end of a window to its target; needs `target`.
        anomaly: column of 0 and 1, where 1 is a row of an anomaly. Training and validation get windows without such
            rows; in the test split they are to be found (the measure `anomaly_auc`).
        quantity: whole numbers in the target are quantities, not classes.
        delimiter: what separates columns.

    Raises:
        StageError: no such column, a value that is missing or not finite, times that go back, too few rows.
    """
    if shares.by is not None or shares.key is not None:
        raise StageError(
            f"data.splits.{'by' if shares.by else 'key'} draws examples, but the splits of series are cut in the order "
            "of time, so that none sees the future.",
            f"Remove data.splits.{'by' if shares.by else 'key'}.",
            code="meaningless_key",
        )
    keys = WindowKeys(window, stride, horizon)
    if horizon and target is None:
        raise StageError("args.horizon says when a target comes, but there is no args.target.", code="missing_argument")
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    extra = [name for name in (time, target, anomaly) if name is not None]
    found: list[Series] = []
    chosen: list[str] = columns or []
    for file in files:
        table = read_table(file, delimiter)
        own = columns if columns is not None else [name for name in table.header if name not in (time, anomaly, target)]
        if not own:
            raise StageError(f"{file}: no column goes in.", "Name it: args.columns.", code="invalid_data")
        if found and own != chosen:
            raise StageError(
                f"{file}: the columns are {', '.join(own)}; those of {files[0].name} are {', '.join(chosen)}.",
                "Name those that all files have: args.columns.",
                code="invalid_data",
            )
        chosen = own
        found.append(_series(table, chosen, extra, (time, target, anomaly), quantity))
    return windows(found, chosen, keys, shares)


def has_series(path: Path) -> bool:
    """Whether a folder holds .csv files."""
    return any(path.glob("*.csv"))


def _series(
    table: Table,
    columns: Sequence[str],
    extra: Sequence[str],
    named: tuple[str | None, str | None, str | None],
    quantity: bool,
) -> Series:
    time, target, anomaly = named
    table.check([*columns, *extra])
    values = np.stack([table.numbers(name) for name in columns], axis=1)
    if time is not None:
        _check_order(table, time)
    return Series(
        str(table.path),
        values,
        None if anomaly is None else _flags(table, anomaly),
        None if target is None else table.targets(target, quantity),
    )


def _check_order(table: Table, time: str) -> None:
    try:
        moments = np.array([_moment(cell) for cell in table.cells(time)], dtype=object)
        back = next((int(k) + 1 for k in np.flatnonzero(moments[1:] < moments[:-1])), None)
    except (ValueError, TypeError) as error:
        raise StageError(
            f"{table.path}: the times in {time!r} cannot be compared: {error}.",
            "Write numbers, or dates such as 2026-11-30 03:40:00, all with or all without a time zone.",
            code="invalid_data",
        ) from error
    if back is not None:
        raise StageError(
            f"{table.path}:{table.lines[back]}: {time!r} goes back, from {table.cells(time)[back - 1]} to "
            f"{table.cells(time)[back]}.",
            "Sort the rows by time.",
            code="invalid_data",
        )


def _moment(cell: str) -> float | datetime:
    try:
        return float(cell)
    except ValueError:
        return datetime.fromisoformat(cell)


def _flags(table: Table, anomaly: str) -> np.ndarray:
    values = table.numbers(anomaly)
    wrong = np.flatnonzero(~np.isin(values, (0, 1)))
    if wrong.size:
        raise StageError(
            f"{table.path}:{table.lines[int(wrong[0])]}: {anomaly!r} is {values[wrong[0]]:g}; expected 0 or 1.",
            code="invalid_data",
        )
    return values == 1
