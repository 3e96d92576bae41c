"""Arrays of examples in `.npy` files: written in parts, read row by row.

Files are read, not mapped: a mapped file counts as memory of the process for as long as its pages stay.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tfopt.atomic import replacing
from tfopt.backend.data.arrays.reading import is_in_memory, parts
from tfopt.backend.data.arrays.views import LazyArray
from tfopt.backend.types import Array, ExampleArray
from tfopt.errors import StageError


class StoredRows(LazyArray):
    """The rows of an array in a `.npy` file.

    Args:
        path: of the file.
        identity: of the rows, where it is known.
        begin: where the array begins in the file, in bytes.

    Raises:
        StageError: no such file, or it is damaged.
    """

    def __init__(self, path: Path, identity: str | None = None, begin: int = 0) -> None:
        try:
            with path.open("rb") as stream:
                stream.seek(begin)
                shape, dtype = header(stream, str(path))
                self._offset = stream.tell()
            size = path.stat().st_size
        except (OSError, ValueError) as error:
            raise StageError(f"{path} cannot be read: {error}.", code="data_unreadable") from error
        super().__init__(shape, dtype, identity)
        if size < self._offset + self.nbytes:
            raise StageError(
                f"{path} is truncated: it has {size:,} bytes instead of {self._offset + self.nbytes:,}.",
                "Delete it; it is written again.",
                code="data_unreadable",
            )
        self.path, self._begin = path, begin
        self._row = self.nbytes // max(len(self), 1)
        self._file = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)

    def __reduce__(self) -> tuple[type[StoredRows], tuple[Path, str | None, int]]:
        return type(self), (self.path, self.identity, self._begin)

    def read(self, positions: Array) -> Array:
        """The rows at positions; neighbours are read at once."""
        result = np.empty((len(positions), *self.shape[1:]), self.dtype)
        if not result.size:
            return result
        buffer = result.reshape(-1).view(np.uint8).data
        ends = np.flatnonzero(np.diff(positions) != 1) + 1
        for begin, end in zip((0, *ends), (*ends, len(positions)), strict=True):
            self._read_into(buffer[begin * self._row : end * self._row], int(positions[begin]))
        return result

    def _read_into(self, buffer: memoryview, row: int) -> None:
        offset, done = self._offset + row * self._row, 0
        while done < len(buffer):
            count = os.preadv(self._file, [buffer[done:]], offset + done)
            if not count:
                raise StageError(
                    f"{self.path} became shorter while it was read.",
                    "Start the run again: what is missing is written again.",
                    code="data_unreadable",
                )
            done += count


def header(stream: BinaryIO, name: str) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Shape and dtype at the beginning of a `.npy` file; the stream is left at the first value.

    Raises:
        ValueError: no such file, one of Python objects, or one whose examples are not in order.
    """
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects")
    if not shape:
        raise ValueError(f"{name} holds a single value, not one row per example")
    if fortran and len(shape) > 1:
        raise ValueError(f"{name} is in Fortran order; numpy.ascontiguousarray changes that")
    return shape, dtype


def save_rows(path: Path, array: ExampleArray) -> None:
    """Writes an array to a `.npy` file, in parts where it is not in memory.

    Raises:
        StageError: as `write_rows`.
    """
    if is_in_memory(array):
        np.save(path, array)
    else:
        write_rows(path, array.shape, array.dtype, parts(array))


def write_rows(path: Path, shape: tuple[int, ...], dtype: np.dtype[np.generic], parts: Iterable[Array]) -> None:
    """Writes a `.npy` file in parts; it appears when it is complete.

    Args:
        path: of the file.
        shape: of all rows.
        dtype: of the values.
        parts: the rows, in order.

    Raises:
        StageError: the disk is full, or cannot be written.
    """
    try:
        with replacing(path) as temporary, temporary.open("wb") as stream:
            description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(stream, description)
            for part in parts:
                stream.write(np.ascontiguousarray(part, dtype).data if part.size else b"")
    except OSError as error:
        raise StageError(
            f"{path} cannot be written: {error.strerror or error}.",
            "Free some space, or choose a different folder with --out.",
            code="cannot_write",
        ) from error
