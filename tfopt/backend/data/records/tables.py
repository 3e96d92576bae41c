"""Parquet and Arrow files, and folders that Hugging Face `datasets` saved, as a data source."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from tfopt.backend.data.arrays.decoded import identity_of_files
from tfopt.backend.data.prepared import Prepared, RawExamples
from tfopt.backend.data.records.columns import Column, array_of, check_names, examples_of, keys_of
from tfopt.backend.data.records.shards import is_table, shards_of
from tfopt.core.config.features import Feature
from tfopt.errors import EnvironmentProblem, StageError

_GROUPS = 8
"""Groups of rows of a column that are kept, encoded as they are."""


def load_tables(path: Path, features: Mapping[str, Feature] | None, key: str | None = None) -> Prepared:
    """Reads tables.

    Args:
        path: a file, a pattern of files, or a folder, such as one of `Dataset.save_to_disk`.
        features: which columns go in, and which are targets.
        key: column that says what each training row belongs to; None where that is not asked.

    Returns:
        The examples by split, in the order of the files' names; images are decoded when they are read. Names of
        classes where a folder of Hugging Face has them.

    Raises:
        EnvironmentProblem: pyarrow is not installed.
        StageError: a file cannot be read, or columns are not in it.
    """
    splits: dict[str, RawExamples] = {}
    names: tuple[str, ...] | None = None
    for split, files in shards_of(path, is_table).items():
        table = Table(files)
        if not table.rows:
            raise StageError(f"{path}, {split} split: the tables hold no rows.", code="data_missing")
        first = {name: table.value(name, 0) if features is None else None for name in table.names}
        chosen = check_names(features, first, str(files[0]), key)
        identity = identity_of_files(files, path.parent, "table")
        arrays = {name: array_of(table.column(name, identity), feature) for name, feature in chosen.items()}
        keys = keys_of(table.column(key, identity)) if key is not None and split == "train" else None
        splits[split] = examples_of(chosen, arrays, keys)
        names = names or _class_names(files[0].parent, chosen)
    return Prepared(splits, label_names=names)


class Table:
    """The rows of several files, by number.

    Args:
        files: of the same columns.

    Raises:
        EnvironmentProblem: pyarrow is not installed.
        StageError: one cannot be read, or has other columns.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._groups = [(file, group, rows) for file in files for group, rows in enumerate(_row_counts(file))]
        self._groups = [each for each in self._groups if each[2]]
        self._ends = np.cumsum([rows for _, _, rows in self._groups]).tolist()
        self.rows = self._ends[-1] if self._ends else 0
        self.names = _names(files[0])
        for file in files[1:]:
            if _names(file) != self.names:
                raise StageError(
                    f"{file} has the columns {', '.join(_names(file))}, but {files[0]} has {', '.join(self.names)}.",
                    code="invalid_data",
                )
        most = max((rows for _, _, rows in self._groups), default=1)
        self.window = most if len(self._groups) > _GROUPS else None
        self._kept: dict[str, OrderedDict[int, Any]] = {}
        self._lock = Lock()

    def column(self, name: str, identity: str) -> Column:
        """A column; `identity` is that of the files."""
        return Column(name, partial(self.value, name), self.where, self.rows, identity, window=self.window)

    def where(self, row: int) -> str:
        """File and row, for errors."""
        group = bisect_right(self._ends, row)
        file = self._groups[group][0]
        first = sum(rows for other, _, rows in self._groups[:group] if other != file)
        return f"row {row - first:,} of {file}"

    def value(self, name: str, row: int) -> Any:
        """One value: bytes, text, a number, or numbers (n,)."""
        group = bisect_right(self._ends, row)
        values = self._column(name, group)[row - (self._ends[group - 1] if group else 0)]
        return self._plain(values, name, row)

    def _plain(self, scalar: Any, name: str, row: int) -> Any:
        while scalar.is_valid and type(scalar).__name__ == "ExtensionScalar":
            scalar = scalar.value
        if scalar.is_valid and "List" in type(scalar).__name__:
            return _flat(scalar.values)
        value = scalar.as_py()
        if isinstance(value, dict):  # an image of Hugging Face: {bytes, path}
            value = value.get("bytes")
        if value is None:
            raise StageError(
                f"{name} of {self.where(row)} is empty.", "Fill it, or leave the row out.", code="data_unreadable"
            )
        return int(value) if isinstance(value, bool) else value

    def _column(self, name: str, group: int) -> Any:
        with self._lock:
            kept = self._kept.setdefault(name, OrderedDict())
            if group in kept:
                kept.move_to_end(group)
            else:
                file, index, _ = self._groups[group]
                kept[group] = _read_group(file, index, name)
                if len(kept) > _GROUPS:
                    kept.popitem(last=False)
            return kept[group]


def _flat(values: Any) -> Any:
    while hasattr(values, "flatten") and hasattr(values.type, "value_type"):
        values = values.flatten()
    return values.to_numpy(zero_copy_only=False)


def _row_counts(file: Path) -> list[int]:
    with _readable(file):
        if file.suffix.lower() == ".parquet":
            metadata = _arrow("pyarrow.parquet").ParquetFile(file).metadata
            return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        return [batch.num_rows for batch in _batches(file)]


def _names(file: Path) -> list[str]:
    with _readable(file):
        if file.suffix.lower() == ".parquet":
            return list(_arrow("pyarrow.parquet").ParquetFile(file).schema_arrow.names)
        return list(next(iter(_batches(file))).schema.names)


def _read_group(file: Path, group: int, name: str) -> Any:
    with _readable(file):
        if file.suffix.lower() == ".parquet":
            column = _arrow("pyarrow.parquet").ParquetFile(file).read_row_group(group, columns=[name]).column(0)
            return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        for index, batch in enumerate(_batches(file)):
            if index == group:
                return batch.column(name)
    raise StageError(f"{file} became shorter while it was read.", code="invalid_data")


def _batches(file: Path) -> Iterator[Any]:
    """Record batches of an Arrow file in either of its formats; their values stay in the file until they are read."""
    arrow, ipc = _arrow("pyarrow"), _arrow("pyarrow.ipc")
    mapped = arrow.memory_map(str(file))
    if mapped.read(6) == b"ARROW1":
        reader = ipc.open_file(mapped)
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)
        return
    mapped.seek(0)
    yield from ipc.open_stream(mapped)


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """Puts errors of pyarrow into the words of tfopt."""
    arrow = _arrow("pyarrow")
    try:
        yield
    except (OSError, arrow.ArrowException, StopIteration) as error:
        raise StageError(
            f"{file} cannot be read: {error}.",
            "Write or copy it again: it is truncated, damaged, or no Parquet or Arrow file.",
            code="invalid_data",
        ) from error


def _arrow(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise EnvironmentProblem(
            "Parquet and Arrow files are read with pyarrow, which is not installed.",
            "pip install 'tfopt[parquet]'",
            code="missing_package",
        ) from error


def _class_names(folder: Path, features: Mapping[str, Feature]) -> tuple[str, ...] | None:
    """Names of the classes of the only target, as `datasets` wrote them next to the tables."""
    targets = [name for name, feature in features.items() if feature.role == "target"]
    try:
        about = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
        names = about["features"][targets[0]]["names"]
        return tuple(map(str, names)) if len(targets) == 1 else None
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None
