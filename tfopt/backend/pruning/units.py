"""Where the weights of each unit of a dependency group are: what a criterion needs to score channels and heads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfopt.backend.types import Array


@dataclass(frozen=True)
class UnitSlices:
    """The slices of one variable that belong to the units of a group.

    Args:
        weights: the variable.
        axis: along which the units are.
        positions: of each unit on that axis; a unit can have several, such as those of an attention head.
    """

    weights: tf.Variable
    axis: int
    positions: tuple[tuple[int, ...], ...]

    def rows(self, values: Array) -> Array:
        """Values with one row for each unit: (units, weights of a unit); zeros where a unit has fewer than others.

        Args:
            values: in the shape of the variable.
        """
        first = np.moveaxis(values, self.axis, 0)
        found = [first[list(one)].ravel() for one in self.positions]
        longest = max(len(one) for one in found)
        return np.stack([np.pad(one, (0, longest - len(one))) for one in found])

    def sums(self, values: Array) -> Array:
        """Sum of the values of each unit: (units,)."""
        result: Array = self.rows(values).astype(np.float64).sum(axis=1)
        return result


@dataclass(frozen=True)
class Units:
    """The units of one dependency group, which are removed or kept one by one.

    Args:
        name: of the group.
        count: number of units.
        producing: kernels whose outputs the units are.
        consuming: kernels that read the units.
        scales: scales of batch normalizations of the units.
    """

    name: str
    count: int
    producing: tuple[UnitSlices, ...]
    consuming: tuple[UnitSlices, ...] = ()
    scales: tuple[UnitSlices, ...] = ()
