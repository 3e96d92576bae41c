"""Takes the examples of a stream, part by part: into memory as far as that goes, else onto disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfopt.backend.data.arrays.reading import SHARE_OF_MEMORY, parts
from tfopt.backend.data.arrays.stored import StoredRows, write_rows
from tfopt.backend.data.arrays.views import ChangedRows
from tfopt.backend.data.caching.choice import Kind
from tfopt.backend.data.caching.keeping import temporary_folder
from tfopt.backend.types import Array, ExampleArray
from tfopt.memory import available_memory


@dataclass(frozen=True)
class Spools:
    """Makes spools.

    Args:
        kind: where examples are asked for; None for a choice by size.
        folder: where those on disk are; None for a temporary one.
    """

    kind: Kind | None = "memory"
    folder: Path | None = None

    def make(self, columns: int) -> list[Spool]:
        """One for each of several columns, which share the free memory."""
        limit = {"memory": None, "disk": 0, "none": 0, None: int(SHARE_OF_MEMORY * available_memory() / columns)}
        return [Spool(limit[self.kind], self.folder) for _ in range(columns)]


class SpooledRows(StoredRows):
    """Rows of a stream, which were written out because it cannot be read at any position."""


def is_spooled(array: ExampleArray) -> bool:
    """Whether an array is that of a stream, possibly changed when it is read."""
    return is_spooled(array.array) if isinstance(array, ChangedRows) else isinstance(array, SpooledRows)


class Spool:
    """One array that grows.

    Args:
        limit: bytes in memory; None for no limit.
        folder: where the rest goes.
    """

    def __init__(self, limit: int | None, folder: Path | None) -> None:
        self._limit, self._folder = limit, folder
        self._parts: list[Array] = []
        self._bytes = self._rows = 0
        self._files: list[Path] = []
        self._axes: tuple[int, ...] | None = None

    def add(self, rows: Array) -> None:
        """Takes rows (n, ...).

        Raises:
            ValueError: they are of another shape than the rows before.
        """
        if self._axes is not None and rows.shape[1:] != self._axes:
            raise ValueError(f"{self._axes} and {rows.shape[1:]}")
        self._axes = rows.shape[1:]
        self._parts.append(rows)
        self._bytes += rows.nbytes
        self._rows += len(rows)
        if self._limit is not None and self._bytes > max(self._limit, _LEAST) and rows.dtype.kind in "biuf":
            self._spill()

    def _spill(self) -> None:
        path = Path(tempfile.mkdtemp(dir=temporary_folder(self._folder))) / "part.npy"
        rows, first = sum(map(len, self._parts)), self._parts[0]
        write_rows(path, (rows, *first.shape[1:]), first.dtype, self._parts)
        self._files.append(path)
        self._parts, self._bytes, self._limit = [], 0, 0

    def finished(self) -> ExampleArray:
        """All rows."""
        if not self._files and (self._limit is None or self._limit > 0 or not self._is_large()):
            return np.concatenate(self._parts)
        if self._parts:
            self._spill()
        first = StoredRows(self._files[0])
        path = self._files[0].with_name("rows.npy")
        write_rows(path, (self._rows, *first.shape[1:]), first.dtype, self._drained())
        return SpooledRows(path)

    def _is_large(self) -> bool:
        """Whether rows are more than a label; labels stay in memory."""
        return self._parts[0].dtype.kind in "biuf" and self._parts[0][0].nbytes > _LABEL

    def _drained(self) -> Iterator[Array]:
        for file in self._files:
            yield from parts(StoredRows(file))
            file.unlink()


_LEAST = 32 * 2**20
"""Bytes below which nothing is written yet."""
_LABEL = 64
