"""Movement: weights that training moves towards zero are pruned, whatever their size."""

from __future__ import annotations

from typing import ClassVar

import tensorflow as tf

from tfopt.backend.pruning.criterion import Needs
from tfopt.backend.pruning.gradient_criterion import GradientCriterion

TIES = 1e-4
"""Weight of the magnitude, which decides where no weight has moved; smaller ones are lost in float32 next to 1."""


class Movement(GradientCriterion):
    """Sum of -weight * gradient over the steps (Sanh et al. 2020, arXiv:2005.07683): negative where it goes to zero.

    A pruned weight is zero, so that its sum stays what it was when it was pruned.
    """

    needs: ClassVar[Needs] = "training"

    def updated(self, total: tf.Variable, weights: tf.Variable, gradient: tf.Tensor) -> tf.Tensor:
        return total - gradient * weights

    def scores(self, kernel: tf.Variable) -> tf.Tensor:
        # Scores must not be negative: a rising function of the sum, 1 where the weight has not moved.
        moved = self.total(kernel)
        rising = tf.where(moved >= 0, 1 + tf.nn.relu(moved), 1 / (1 + tf.nn.relu(-moved)))
        return rising + TIES * tf.abs(kernel)
