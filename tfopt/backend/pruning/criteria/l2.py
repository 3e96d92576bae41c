"""Euclidean norm: the units with the smallest are removed."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfopt.backend.pruning.criterion import Criterion
from tfopt.backend.pruning.units import Units
from tfopt.backend.types import Array


class L2(Criterion):
    """Euclidean norm of the weights of a unit (He et al. 2018, arXiv:1808.06866); of a single weight its square."""

    def scores(self, kernel: tf.Variable) -> tf.Tensor:
        return tf.square(kernel)

    def unit_scores(self, units: Units) -> Array:
        return np.sqrt(super().unit_scores(units))
