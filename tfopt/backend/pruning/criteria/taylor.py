"""Product of weight and gradient: how much the loss would change, to first order."""

from __future__ import annotations

import tensorflow as tf

from tfopt.backend.pruning.gradient_criterion import TIES, MovingAverage


class Taylor(MovingAverage):
    """Squared change of the loss without a weight, to first order (Molchanov et al. 2019, arXiv:1906.10771)."""

    def value(self, weights: tf.Variable, gradient: tf.Tensor) -> tf.Tensor:
        return tf.square(gradient * weights)

    def scores(self, kernel: tf.Variable) -> tf.Tensor:
        return self.total(kernel) + TIES * tf.abs(kernel)
