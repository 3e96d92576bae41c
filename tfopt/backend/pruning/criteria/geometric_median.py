"""Distance to the other units of a group: those nearest to all others are replaceable, and are removed."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tfopt.backend.pruning.criterion import Criterion
from tfopt.backend.pruning.units import Units
from tfopt.backend.types import Array


class GeometricMedian(Criterion):
    """Mean distance to the other units: near their geometric median (He et al. 2019, arXiv:1811.00250) it is small."""

    of_weights: ClassVar[bool] = False

    def unit_scores(self, units: Units) -> Array:
        rows = np.concatenate([part.rows(part.weights.numpy()) for part in units.producing], axis=1)
        rows = rows.astype(np.float64)
        squares = (rows**2).sum(axis=1)
        distances = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * rows @ rows.T, 0))
        result: Array = distances.sum(axis=1) / max(len(rows) - 1, 1)
        return result
