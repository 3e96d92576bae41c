"""Mean absolute activation: the units with the smallest are removed."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tfopt.backend.pruning.criterion import Criterion, Needs
from tfopt.backend.pruning.units import Units
from tfopt.backend.types import Array


class MeanActivation(Criterion):
    """Mean absolute activation of a unit over examples and places (Molchanov et al. 2017, arXiv:1611.06440)."""

    of_weights: ClassVar[bool] = False
    needs: ClassVar[Needs] = "activations"

    def __init__(self) -> None:
        self._sums: dict[str, Array] = {}
        self._seen: dict[str, int] = {}

    def observe(self, group: str, values: Array) -> None:
        total = np.abs(values).sum(axis=0, dtype=np.float64)
        self._sums[group] = self._sums.get(group, np.zeros_like(total)) + total
        self._seen[group] = self._seen.get(group, 0) + len(values)

    def unit_scores(self, units: Units) -> Array:
        return self._sums[units.name] / self._seen[units.name]
