"""Arrays most of whose values are 0: in memory are only the others, as of the targets of a detector."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from tfopt.backend.data.arrays.views import LazyArray
from tfopt.backend.types import Array


class SparseRows(LazyArray):
    """Rows of zeros with some values in each.

    Args:
        places: of each row, positions on its first axis.
        values: of each row, what is there: (places, ...), of one dtype.
        length: of the first axis of a row.
    """

    def __init__(self, places: Sequence[Array], values: Sequence[Array], length: int) -> None:
        self._places, self._values = np.concatenate(places), np.concatenate(values)
        self._begins = np.cumsum([0, *map(len, places)])
        digest = sha256(f"{length} {self._values.dtype} {self._values.shape}".encode())
        for array in (self._begins, self._places, self._values):
            digest.update(np.ascontiguousarray(array).tobytes())
        super().__init__((len(places), length, *self._values.shape[1:]), self._values.dtype, digest.hexdigest())

    def read(self, positions: Array) -> Array:
        """The rows at positions, with their zeros."""
        result = np.zeros((len(positions), *self.shape[1:]), self.dtype)
        for row, position in zip(result, positions, strict=True):
            own = slice(self._begins[position], self._begins[position + 1])
            row[self._places[own]] = self._values[own]
        return result
