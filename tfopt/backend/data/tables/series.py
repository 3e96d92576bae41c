"""From time series to the inputs of a model: cut in time into splits, then into windows, and normalized."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfopt.backend.data.prepared import Prepared
from tfopt.backend.data.raw_inputs import RawInputs
from tfopt.backend.data.splits import Preprocessing
from tfopt.backend.types import Array
from tfopt.core.config.data import Splits
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

SETTINGS_FILE = "series.json"
"""What travels with a model: columns, windows, and the normalization."""


@dataclass(frozen=True)
class Series:
    """Rows in the order of time.

    Args:
        name: of its file, for errors.
        values: (rows, columns), float64.
        anomalies: whether a row is part of an anomaly, (rows,); None where that is not known.
        targets: what belongs to each row, (rows,): a quantity or a class; None without.
    """

    name: str
    values: Array
    anomalies: Array | None = None
    targets: Array | None = None


@dataclass(frozen=True)
class WindowKeys:
    """How series become examples, as `data.args` says it.

    Args:
        window: rows of an example.
        stride: rows from the beginning of an example to that of the next.
        horizon: rows from the last row of an example to the row of its target.
    """

    window: int
    stride: int = 1
    horizon: int = 0

    def __post_init__(self) -> None:
        for name, least in (("window", 2), ("stride", 1), ("horizon", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise StageError(
                    f"args.{name} must be a whole number of at least {least}. Got {value!r}.", code="invalid_argument"
                )

    @property
    def rows(self) -> int:
        """Rows that an example with its target takes."""
        return self.window + self.horizon


def windows(series: Sequence[Series], columns: Sequence[str], keys: WindowKeys, shares: Splits) -> Prepared:
    """Examples of series: training first in time, then validation, then test; no window is across a border.

    Args:
        series: each is cut by itself.
        columns: names of the values.
        keys: of the windows.
        shares: of validation and test, in rows.

    Returns:
        Windows (n, window, columns), with mean 0 and standard deviation 1 in each column of the training rows; targets
        where there are some. Where anomalies are known, no window of training and validation has a row of one.

    Raises:
        StageError: a value is not finite, or a split of a series is shorter than a window.
    """
    for one in series:
        _check_finite(one, columns)
    parts = {name: [_part(one, name, shares, keys) for one in series] for name in ("train", "validation", "test")}
    rows = np.concatenate([part.values[_normal(part)] for part in parts["train"]])
    if not len(rows):
        raise StageError("Every row of the training split is part of an anomaly.", code="data_missing")
    mean, std = rows.mean(axis=0), rows.std(axis=0)
    std = np.where(std > 0, std, 1.0)
    mean, std = mean.astype(np.float32), std.astype(np.float32)
    examples, anomalies = {}, None
    for name, split in parts.items():
        inputs, targets, abnormal = _windows(split, keys)
        if abnormal is not None and abnormal.all():
            raise StageError(f"The {name} split has no window without an anomaly.", code="data_missing")
        if abnormal is not None and name == "test":
            anomalies = abnormal if abnormal.any() else None
        elif abnormal is not None:
            inputs, targets = inputs[~abnormal], None if targets is None else targets[~abnormal]
        examples[name] = (((inputs - mean) / std).astype(np.float32), targets)
    content = {
        "columns": list(columns),
        "window": keys.window,
        "stride": keys.stride,
        "mean": [float(value) for value in mean],
        "std": [float(value) for value in std],
        "steps": ["window: `window` rows of `columns`, in the order of time", "input: (rows - `mean`) / `std`"],
    }
    file = (json.dumps(content, indent=2) + "\n").encode()
    raw = RawInputs(tuple(map(float, mean)), tuple(map(float, std)), "float32")
    return Prepared(examples, Preprocessing("series", {SETTINGS_FILE: file}), raw, anomalies)


def _part(series: Series, name: str, shares: Splits, keys: WindowKeys) -> Series:
    """The rows of a split."""
    total = len(series.values)
    test = total - round(total * shares.test)
    borders = {"train": (0, test - round(total * shares.validation)), "test": (test, total)}
    borders["validation"] = (borders["train"][1], test)
    rows = slice(*borders[name])
    if rows.stop - rows.start < keys.rows:
        raise StageError(
            f"{series.name} has {counted(total, 'row')}, of which {rows.stop - rows.start} are for {name}; a window "
            f"takes {keys.rows}.",
            f"Choose a smaller args.window, or a different share in data.splits.{name if name != 'train' else 'test'}.",
            code="data_missing",
        )
    anomalies, targets = series.anomalies, series.targets
    return Series(
        series.name,
        series.values[rows],
        None if anomalies is None else anomalies[rows],
        None if targets is None else targets[rows],
    )


def _windows(parts: Sequence[Series], keys: WindowKeys) -> tuple[Array, Array | None, Array | None]:
    """Windows of all series of a split, their targets, and which of them have a row of an anomaly."""
    inputs, targets, abnormal = [], [], []
    for part in parts:
        starts = np.arange(0, len(part.values) - keys.rows + 1, keys.stride)
        rows = starts[:, np.newaxis] + np.arange(keys.window)
        inputs.append(part.values[rows])
        if part.targets is not None:
            targets.append(part.targets[starts + keys.rows - 1])
        if part.anomalies is not None:
            abnormal.append(part.anomalies[rows].any(axis=1))
    return (
        np.concatenate(inputs),
        np.concatenate(targets) if targets else None,
        np.concatenate(abnormal) if abnormal else None,
    )


def _normal(part: Series) -> Array:
    return np.ones(len(part.values), bool) if part.anomalies is None else ~part.anomalies


def _check_finite(series: Series, columns: Sequence[str]) -> None:
    bad = ~np.isfinite(series.values)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise StageError(
            f"{series.name}: {columns[column]!r} is {series.values[row, column]} in row {row + 1}; "
            f"{counted(int(bad.sum()), 'value')} of the series {'is' if bad.sum() == 1 else 'are'} NaN or infinite.",
            "Fill them or cut the series there; tfopt does not guess values.",
            code="invalid_data",
        )
