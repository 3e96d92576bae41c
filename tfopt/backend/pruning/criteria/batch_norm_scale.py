"""Scale of batch normalization: the units with the smallest are removed."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tfopt.backend.pruning.criterion import Criterion
from tfopt.backend.pruning.units import Units
from tfopt.backend.types import Array


class BatchNormScale(Criterion):
    """Absolute scale (gamma) of the batch normalization behind a unit (Liu et al. 2017, arXiv:1708.06519)."""

    of_weights: ClassVar[bool] = False

    def unit_scores(self, units: Units) -> Array:
        return np.sum([part.sums(np.abs(part.weights.numpy())) for part in units.scales], axis=0)
