"""Reads .npz and .csv files as data sources."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TypeAlias

import numpy as np

from tfopt.backend.data.table import read_table
from tfopt.backend.types import Array
from tfopt.errors import StageError

TableExamples: TypeAlias = tuple[Array, Array | None]
"""Inputs and targets; targets None where the file has none."""
_NPZ_SPLITS = {
    "train": ("x_train", "y_train"),
    "validation": ("x_validation", "y_validation"),
    "test": ("x_test", "y_test"),
}


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
    table = read_table(path, delimiter)
    chosen = features if features is not None else [name for name in table.header if name != target]
    table.check([*chosen, *([] if target is None else [target])])
    if target in chosen:
        raise StageError(
            f"{path}: the target {target!r} is also a feature.",
            "Take it out of args.features.",
            code="conflicting_keys",
        )
    if not chosen:
        raise StageError(f"{path}: there is no feature column.", code="invalid_data")
    inputs = np.stack([table.numbers(name) for name in chosen], axis=1).astype(np.float32)
    return inputs, None if target is None else table.targets(target, quantity)
