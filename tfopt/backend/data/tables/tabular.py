"""Reads .npz and .csv files as data sources."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np

from tfopt.backend.data.arrays.decoded import identity_of_files
from tfopt.backend.data.arrays.reading import SHARE_OF_MEMORY
from tfopt.backend.data.arrays.stored import StoredRows
from tfopt.backend.data.per_example.keys import keys_of_column
from tfopt.backend.data.prepared import RawExamples
from tfopt.backend.data.tables.table import read_table
from tfopt.backend.types import ExampleArray
from tfopt.errors import StageError
from tfopt.memory import available_memory

_SMALL = 64
"""Bytes of a row up to which an array is read at once: labels."""
_NPZ_SPLITS = ("train", "validation", "test")
_NPZ_PARTS = ("x", "y", "weights")


def load_npz(path: Path, on_the_fly: bool = False, key: str | None = None) -> dict[str, RawExamples]:
    """Reads a NumPy archive.

    Args:
        on_the_fly: whether rows are read from the file when they are needed; so are those of archives that take much
            memory. Compressed arrays are in memory.
        key: name of the array that says what each training example belongs to; None where that is not asked.
        path: with the arrays `x_train`, `y_train` and, if there, `x_validation`, `y_validation`, `x_test`, `y_test`; or
            with `x` and `y`. Without `y...` arrays, it holds inputs only. `weights` and `weights_train`, ... say how
            much each example counts in the loss.

    Returns:
        The examples by split.

    Raises:
        StageError: not such an archive, other arrays, or pickled objects (which could run code).
    """
    on_the_fly = on_the_fly or path.stat().st_size > SHARE_OF_MEMORY / 2 * available_memory()
    try:
        with path.open("rb") as stream, np.lib.npyio.NpzFile(stream, allow_pickle=False) as archive:
            arrays: dict[str, ExampleArray] = {name: archive[name] for name in archive.files if not on_the_fly}
            if on_the_fly:
                arrays = {name: _member(path, archive, name) for name in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise StageError(
            f"{path} cannot be read as .npz: {error}.",
            "Write it with numpy.savez; arrays of Python objects are refused.",
            code="data_unreadable",
        ) from error
    keys = None
    if key is not None:
        if key not in arrays:
            raise StageError(
                f"{path} has no array {key!r}, which data.splits.key names; it has {', '.join(sorted(arrays))}.",
                "Correct data.splits.key.",
                code="unknown_column",
            )
        keys = keys_of_column(arrays.pop(key), f"{path}, array {key}")
    names = {*_NPZ_PARTS, *(f"{part}_{split}" for part in _NPZ_PARTS for split in _NPZ_SPLITS)}
    if not arrays.keys() <= names or not ({"x", "x_train"} & arrays.keys()) or {"x", "x_train"} <= arrays.keys():
        raise StageError(
            f"{path} holds the arrays {', '.join(sorted(arrays)) or '(none)'}.",
            "Expected x_train and y_train, optionally x_validation, y_validation, x_test and y_test; or x and y. "
            "Sample weights are called weights, or weights_train, ...; what splits keep together, as data.splits.key.",
            code="invalid_data",
        )
    if "x" in arrays:
        return {"train": RawExamples(arrays["x"], arrays.get("y"), arrays.get("weights"), keys)}
    return {
        split: RawExamples(
            arrays[f"x_{split}"],
            arrays.get(f"y_{split}"),
            arrays.get(f"weights_{split}"),
            keys if split == "train" else None,
        )
        for split in _NPZ_SPLITS
        if f"x_{split}" in arrays
    }


def _member(path: Path, archive: np.lib.npyio.NpzFile, name: str) -> ExampleArray:
    """An array of an archive: as rows of the file where it is not compressed."""
    with zipfile.ZipFile(path) as members:
        entry = members.getinfo(f"{name}.npy")
    if entry.compress_type != zipfile.ZIP_STORED:
        return archive[name]
    with path.open("rb") as stream:
        stream.seek(entry.header_offset + 26)
        lengths = struct.unpack("<HH", stream.read(4))
    begin = entry.header_offset + 30 + sum(lengths)
    identity = identity_of_files([path], path.parent, ("npz", name))
    rows = StoredRows(path, identity, begin)
    return rows if rows[:1].nbytes > _SMALL else rows[:]


def load_csv(
    path: Path,
    key: str | None = None,
    *,
    target: str | None = None,
    features: list[str] | None = None,
    weight: str | None = None,
    quantity: bool = False,
    delimiter: str = ",",
) -> RawExamples:
    """Reads a table of numbers with a header.

    Args:
        path: the file, UTF-8.
        key: column that says what each row belongs to (`data.splits.key`); it does not go in unless `features` has it.
        target: column to predict; whole numbers and text are classes, other numbers are quantities. Without one, the
            table holds inputs only.
        features: columns that go in, in this order; all but the target, the weight and the key if absent.
        weight: column that says how much each row counts in the loss; all the same if absent.
        quantity: whole numbers in the target are quantities, not classes.
        delimiter: what separates columns.

    Returns:
        Features (n, k) float32, targets (n,): int64, float32 or text, weights (n,) and keys (n,) text; each but the
        features is None without its column.

    Raises:
        StageError: no such column, a row of a different length, a missing value, or text in a feature; with the line.
    """
    table = read_table(path, delimiter)
    special = [name for name in (target, weight, key) if name is not None]
    chosen = features if features is not None else [name for name in table.header if name not in special]
    table.check([*chosen, *special])
    if target in chosen:
        raise StageError(
            f"{path}: the target {target!r} is also a feature.",
            "Take it out of args.features.",
            code="conflicting_keys",
        )
    if not chosen:
        raise StageError(f"{path}: there is no feature column.", code="invalid_data")
    inputs = np.stack([table.numbers(name) for name in chosen], axis=1).astype(np.float32)
    return RawExamples(
        inputs,
        None if target is None else table.targets(target, quantity),
        None if weight is None else table.numbers(weight),
        None if key is None else np.array(table.cells(key)),
    )
