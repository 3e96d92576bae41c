"""Examples that are not in memory yet: read once, checked, and put where they stay."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tfopt.atomic import replacing
from tfopt.backend.data.arrays.decoded import UNREADABLE
from tfopt.backend.data.arrays.reading import is_in_memory, slices
from tfopt.backend.data.arrays.sparse import SparseRows
from tfopt.backend.data.arrays.stored import StoredRows, write_rows
from tfopt.backend.data.arrays.views import ChangedRows, LazyArray, identity_of
from tfopt.backend.data.caching.choice import Kind
from tfopt.backend.types import Array, ExampleArray
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

_AT_HAND = (StoredRows, SparseRows, np.memmap)
"""Arrays that are not worth a copy on the disk."""
_CHECKED = "checked.json"
_ROWS = "rows.npy"


@dataclass
class Keeper:
    """Puts arrays where they stay.

    Args:
        kind: where.
        folder: of decoded examples and of what is known of them; None for a temporary one.
    """

    kind: Kind
    folder: Path | None

    def keep(self, array: ExampleArray, what: str) -> tuple[ExampleArray, dict[int, str]]:
        """One array.

        Args:
            array: of any kind.
            what: source and split, for errors.

        Returns:
            The array where it stays, with zeros in rows that cannot be read; and what is wrong with those.

        Raises:
            StageError: values are not finite, a file is damaged, or the disk is full.
        """
        if is_in_memory(array):
            return array, {}
        if isinstance(array, ChangedRows):
            kept, bad = self.keep(array.array, what)
            if is_in_memory(kept):
                return array.change(kept), bad
            return ChangedRows(kept, array.change, array.dtype, array.shape[1:], array.label), bad
        if self.kind == "memory":
            return _in_memory(array, what)
        entry = self._entry(array)
        known = _known(entry)
        if self.kind == "none" or isinstance(array, _AT_HAND):
            if known is None:
                known = {}
                for _ in _checked(array, known, what):
                    pass
                _remember(entry, known)
            return array, known
        path = entry / _ROWS
        if known is None or not path.exists():
            known = {}
            entry.mkdir(parents=True, exist_ok=True)
            write_rows(path, array.shape, array.dtype, _checked(array, known, what))
            _remember(entry, known)
        return StoredRows(path, identity_of(array)), known

    def _entry(self, array: ExampleArray) -> Path:
        identity = identity_of(array)
        if identity is not None and self.folder is not None:
            return self.folder / identity
        return Path(tempfile.mkdtemp(dir=temporary_folder(self.folder)))


def bytes_to_write(array: ExampleArray, folder: Path | None) -> int:
    """Bytes that `disk` writes for an array: none where its rows are in a file already.

    Args:
        array: of any kind.
        folder: of decoded examples; None for a temporary one.
    """
    if isinstance(array, ChangedRows):
        return bytes_to_write(array.array, folder)
    if isinstance(array, _AT_HAND):
        return 0
    identity = identity_of(array)
    if identity is not None and folder is not None and (folder / identity / _ROWS).exists():
        return 0
    return array.nbytes


@cache
def temporary_folder(folder: Path | None) -> Path:
    """A folder that goes when this process ends.

    Args:
        folder: where it is made; None for the folder of temporary files.
    """
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def _in_memory(array: ExampleArray, what: str) -> tuple[Array, dict[int, str]]:
    bad: dict[int, str] = {}
    result = np.empty(array.shape, array.dtype)
    done = 0
    for part in _checked(array, bad, what):
        result[done : done + len(part)] = part
        done += len(part)
    return result, bad


def _checked(array: ExampleArray, bad: dict[int, str], what: str) -> Iterator[Array]:
    """All rows in order; `bad` gets those that cannot be read, which become zeros."""
    if isinstance(array, LazyArray):
        array.verify()
    wrong, first, values = 0, 0, 0
    for rows in slices(array):
        try:
            part: Array = array[rows]
        except StageError as error:
            if error.code != UNREADABLE:
                raise
            part = _one_by_one(array, rows, bad)
        if part.dtype.kind == "f" and not np.isfinite(part).all():
            finite = np.isfinite(part.reshape(len(part), -1))
            found = np.flatnonzero(~finite.all(axis=1))
            first = first if wrong else rows.start + int(found[0])
            wrong, values = wrong + len(found), values + int((~finite).sum())
        yield part
    if wrong:
        raise StageError(
            f"{what}: {counted(values, 'value')} NaN or infinite, in {wrong} of {counted(len(array), 'example')}, "
            f"first in example {first}.",
            "Repair or remove these examples.",
            code="invalid_data",
        )


def _one_by_one(array: ExampleArray, rows: slice, bad: dict[int, str]) -> Array:
    part = np.zeros((rows.stop - rows.start, *array.shape[1:]), array.dtype)
    for position in range(rows.start, rows.stop):
        try:
            part[position - rows.start] = array[position]
        except StageError as error:
            if error.code != UNREADABLE:
                raise
            bad[position] = error.message
    return part


def _known(entry: Path) -> dict[int, str] | None:
    """What is wrong with rows, by position, as a run before found it; None where none did."""
    try:
        content = json.loads((entry / _CHECKED).read_text(encoding="utf-8"))
        return {int(position): str(message) for position, message in content["bad"].items()}
    except (OSError, ValueError, KeyError, AttributeError):
        return None


def _remember(entry: Path, bad: dict[int, str]) -> None:
    entry.mkdir(parents=True, exist_ok=True)
    with replacing(entry / _CHECKED) as temporary:
        temporary.write_text(json.dumps({"bad": bad}), encoding="utf-8")
