"""Average percentage of zeros (APoZ): units whose activations are mostly zero are removed."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tfopt.backend.pruning.criterion import Criterion, Needs
from tfopt.backend.pruning.units import Units
from tfopt.backend.types import Array


class ZeroActivations(Criterion):
    """Share of examples and places at which the activation of a unit is above zero (Hu et al. 2016, arXiv:1607.03250).

    It means something behind ReLU; where activations are never zero, all units are equal.
    """

    of_weights: ClassVar[bool] = False
    needs: ClassVar[Needs] = "activations"

    def __init__(self) -> None:
        self._active: dict[str, Array] = {}
        self._seen: dict[str, int] = {}

    def observe(self, group: str, values: Array) -> None:
        self._active[group] = self._active.get(group, np.zeros(values.shape[1])) + np.count_nonzero(values > 0, axis=0)
        self._seen[group] = self._seen.get(group, 0) + len(values)

    def unit_scores(self, units: Units) -> Array:
        return self._active[units.name] / self._seen[units.name]
