"""Reads arrays of examples in parts, or as a whole where that must be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeGuard

import numpy as np

from tfopt.backend.types import Array, Arrays, ExampleArray, ExampleArrays
from tfopt.core.language.quantities import about_bytes
from tfopt.errors import StageError
from tfopt.memory import available_memory

PART = 16 * 2**20
"""Bytes that are read at once."""
SHARE_OF_MEMORY = 0.5
"""The largest part of the free memory that examples may take."""


def is_in_memory(array: ExampleArray) -> TypeGuard[Array]:
    """Whether these are values in memory: no mapped file, and nothing that is read or decoded at each access."""
    return isinstance(array, np.ndarray) and not isinstance(array, np.memmap)


def all_in_memory(arrays: ExampleArrays) -> TypeGuard[Arrays]:
    """Whether all arrays are values in memory."""
    return all(is_in_memory(array) for array in named(arrays).values())


def in_memory(array: ExampleArray, what: str = "These examples") -> Array:
    """All examples as one NumPy array: for what cannot be done in parts.

    Args:
        array: of any kind; one that is in memory is returned itself.
        what: what they are, at the beginning of a sentence.

    Raises:
        StageError: they would take more than half of the free memory.
    """
    if is_in_memory(array):
        return array
    free = available_memory()
    if array.nbytes > SHARE_OF_MEMORY * free:
        raise StageError(
            f"{what} would have to be in memory as a whole, and take {about_bytes(array.nbytes)} of "
            f"{about_bytes(free)} that are free.",
            "Use fewer examples here, or a machine with more memory.",
            code="out_of_memory",
        )
    values: Array = array[:]
    return values


def arrays_in_memory(arrays: ExampleArrays, what: str = "These examples") -> Arrays:
    """`in_memory` of one array, or of several by name."""
    if isinstance(arrays, dict):
        return {name: in_memory(array, what) for name, array in arrays.items()}
    return in_memory(arrays, what)


def parts(array: ExampleArray, size: int = PART) -> Iterator[Array]:
    """The rows of an array in order, some at a time: all at once where they are in memory.

    Args:
        array: of any kind.
        size: bytes of one part; a part has at least one row.
    """
    if is_in_memory(array):
        yield array
        return
    for rows in slices(array, size):
        yield array[rows]


def slices(array: ExampleArray, size: int = PART) -> Iterator[slice]:
    """Slices that cover the rows of an array, each of about `size` bytes, at least one row."""
    count = len(array)
    step = max(1, size * count // max(array.nbytes, 1))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def named(arrays: ExampleArrays) -> Mapping[str, ExampleArray]:
    """Arrays by name; one array is called ''."""
    return arrays if isinstance(arrays, dict) else {"": arrays}
