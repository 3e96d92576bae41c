"""Rows of an array that are selected, or changed, when they are read."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from typing import Any, TypeAlias

import numpy as np

from tfopt.backend.data.arrays.reading import in_memory, is_in_memory, parts
from tfopt.backend.types import Array, ExampleArray

_COUNTABLE = 2**16
"""Values in a range below this are counted, which is faster than sorting them."""

Rows: TypeAlias = Any
"""An index, a slice, or an array of positions or truth values."""


class LazyArray:
    """Base of arrays whose rows are read at each access.

    Args:
        shape: examples, then the axes of one example.
        dtype: of the values.
        identity: changes with the rows; None where that is not known without reading them.
        window: rows that are read together; None where each can be read alone. Training shuffles within windows then.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[np.generic],
        identity: str | None = None,
        window: int | None = None,
    ) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.identity, self.window = identity, window

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that all examples would take in memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    @cached_property
    def values(self) -> Array:
        """The values that occur, of whole numbers, sorted; all rows are read once."""
        found = [_values(part) for part in parts(self) if part.size]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, self.dtype)

    @cached_property
    def extremes(self) -> tuple[int, int]:
        """The smallest and the largest value, of whole numbers; all rows are read once."""
        return _extremes(self)

    def verify(self) -> None:
        """Finds out, once, whether the files behind the rows are as they should be.

        Raises:
            StageError: a file is damaged.
        """

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Rows) -> Array:
        """Examples at an index, in a slice, or at positions."""
        if isinstance(rows, tuple):
            first, *others = rows
            if first is Ellipsis:
                whole: Array = in_memory(self)[rows]
                return whole
            values = self[first]
            if not isinstance(first, slice) and not np.ndim(first):
                return values[tuple(others)]
            pairs = np.ndim(first) and any(np.ndim(other) for other in others if not isinstance(other, slice))
            return values[(np.arange(len(values)) if pairs else slice(None), *others)]
        found = np.arange(len(self))[rows]
        if np.ndim(found) == 0:
            return self.read(np.array([found]))[0]
        return self.read(found)

    def __array__(self, dtype: np.dtype[np.generic] | None = None, copy: bool | None = None) -> Array:
        return in_memory(self).astype(dtype or self.dtype, copy=False)

    def read(self, positions: Array) -> Array:
        """The rows at positions (n,), in that order: (n, ...)."""
        raise NotImplementedError


class SelectedRows(LazyArray):
    """Some rows of an array, in an order of their own."""

    def __init__(self, array: ExampleArray, positions: Array) -> None:
        identity = _changed_identity(array, positions.astype(np.int64).tobytes())
        super().__init__((len(positions), *array.shape[1:]), array.dtype, identity, window_of(array))
        self._array, self._positions = array, positions

    def read(self, positions: Array) -> Array:
        """The rows at positions of the selection."""
        values: Array = self._array[self._positions[positions]]
        return values


class ChangedRows(LazyArray):
    """The rows of an array, changed by a function when they are read.

    Args:
        array: whose rows are read.
        change: from values (n, ...) to values of the same number of rows.
        dtype: that `change` returns.
        axes: of one example that `change` returns; those of `array` if absent.
        label: tells this change from others; without one, the rows have no identity.
    """

    def __init__(
        self,
        array: ExampleArray,
        change: Callable[[Array], Array],
        dtype: np.dtype[np.generic],
        axes: tuple[int, ...] | None = None,
        label: str | None = None,
    ) -> None:
        identity = None if label is None else _changed_identity(array, label.encode())
        shape = (len(array), *(array.shape[1:] if axes is None else axes))
        super().__init__(shape, dtype, identity, window_of(array))
        self.array, self.change, self.label = array, change, label

    def read(self, positions: Array) -> Array:
        """The changed rows at positions."""
        return self.change(self.array[positions])


def values_of(array: ExampleArray) -> Array:
    """The values that occur in an array of whole numbers, sorted; of one that is not in memory they are remembered."""
    return array.values if isinstance(array, LazyArray) else _values(in_memory(array))


def extremes(array: ExampleArray) -> tuple[int, int]:
    """The smallest and the largest value of an array of whole numbers that is not empty."""
    return array.extremes if isinstance(array, LazyArray) else _extremes(array)


def largest(array: ExampleArray) -> int:
    """The largest value of an array of whole numbers; 0 where none is larger."""
    return max(0, extremes(array)[1]) if array.nbytes else 0


def _extremes(array: ExampleArray) -> tuple[int, int]:
    found = [(int(part.min()), int(part.max())) for part in parts(array)]
    return min(low for low, _ in found), max(high for _, high in found)


def _values(array: Array) -> Array:
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    if high - low >= _COUNTABLE:
        return np.unique(array)
    counts = np.bincount((array.reshape(-1).astype(np.int64) - low), minlength=1)
    return np.flatnonzero(counts) + low


def _changed_identity(array: ExampleArray, change: bytes) -> str | None:
    identity = identity_of(array)
    return None if identity is None else sha256(identity.encode() + change).hexdigest()


def selected(array: ExampleArray, positions: Array) -> ExampleArray:
    """The rows at positions; read at once where the array is in memory."""
    if is_in_memory(array):
        return array[positions]
    chosen = np.arange(len(array))[positions]
    if isinstance(array, SelectedRows):
        return SelectedRows(array._array, array._positions[chosen])
    return SelectedRows(array, chosen)


def of_type(array: ExampleArray, dtype: np.dtype[np.generic]) -> ExampleArray:
    """The same values as another type; read only where they are in memory."""
    if is_in_memory(array):
        return np.asarray(array, dtype)
    if array.dtype == dtype:
        return array
    return ChangedRows(array, lambda values: values.astype(dtype), dtype, label=f"as {dtype}")


def identity_of(array: ExampleArray) -> str | None:
    """Changes with the rows; None where that is not known without reading them."""
    return array.identity if isinstance(array, LazyArray) else None


def window_of(array: ExampleArray) -> int | None:
    """Rows that are read together; None where each can be read alone."""
    return array.window if isinstance(array, LazyArray) else None
