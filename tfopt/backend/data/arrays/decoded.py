"""Rows that are decoded one by one from files or records, several at the same time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from tfopt.backend.data.arrays.views import LazyArray
from tfopt.backend.types import Array

T = TypeVar("T")

UNREADABLE = "data_unreadable"
"""Code of the error of an example that cannot be read."""
_FEW = 4
_MOST_THREADS = 16
_TASKS_PER_THREAD = 4
"""Into which the rows that are read at once are divided."""


class DecodedRows(LazyArray, Generic[T]):
    """Rows that a function makes of items, such as the paths of images.

    Args:
        items: one for each row.
        decode: makes a row of an item; raises a `StageError` with the code `data_unreadable` where it cannot.
        axes: of a row.
        dtype: of the values.
        identity: changes with the content of the items; None where that cannot be known without reading them.
        check: finds out once, before the first row is read, whether files are as they should be.
        window: rows that are read together; None where each can be read alone.
    """

    def __init__(
        self,
        items: Sequence[T],
        decode: Callable[[T], Array],
        axes: tuple[int, ...],
        dtype: np.dtype[np.generic],
        identity: str | None = None,
        check: Callable[[], None] | None = None,
        window: int | None = None,
    ) -> None:
        super().__init__((len(items), *axes), dtype, identity, window)
        self.items, self._decode, self._check = items, decode, check

    def verify(self) -> None:
        """Checks the files as a whole."""
        if self._check is not None:
            self._check()

    def read(self, positions: Array) -> Array:
        """Decodes the rows at positions."""
        result = np.empty((len(positions), *self.shape[1:]), self.dtype)
        # Several rows a task: handing over a small image would take a third of the time of decoding it.
        step = max(_FEW, len(positions) // (_num_threads() * _TASKS_PER_THREAD))

        def some(begin: int) -> None:
            for index in range(begin, min(begin + step, len(positions))):
                result[index] = self._decode(self.items[int(positions[index])])

        if len(positions) <= _FEW:
            some(0)
        else:
            list(_threads(os.getpid()).map(some, range(0, len(positions), step)))
        return result


def identity_of_files(files: Sequence[Path], root: Path, settings: object) -> str:
    """Changes with the names, sizes and times of change of files, and with what is done to them.

    Args:
        files: in order.
        root: their names are relative to it.
        settings: whatever else decides about the rows; its `repr` counts.
    """
    digest = sha256(f"{settings!r}\n".encode())
    top = os.path.join(root, "")
    for file in map(str, files):
        found = os.stat(file)
        name = file[len(top) :] if file.startswith(top) else os.path.relpath(file, root)
        digest.update(f"{name}\t{found.st_size}\t{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@cache
def _threads(process: int) -> ThreadPoolExecutor:
    """The threads of a process: those of a process that was forked stay behind."""
    return ThreadPoolExecutor(_num_threads(), thread_name_prefix=f"decode-{process}")


def _num_threads() -> int:
    return min(os.cpu_count() or 1, _MOST_THREADS)
