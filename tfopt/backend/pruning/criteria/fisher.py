"""Squared weight times squared gradient: how much the loss would change, to second order."""

from __future__ import annotations

import tensorflow as tf

from tfopt.backend.pruning.gradient_criterion import TIES, MovingAverage


class Fisher(MovingAverage):
    """Optimal brain damage (LeCun et al. 1990): w^2 h / 2, with the Fisher information as diagonal of the Hessian h.

    The information is the average of the squared gradients of batches (Theis et al. 2018, arXiv:1801.05787); the weight
    is that of the moment in which it is scored, where `taylor` averages the products.
    """

    def value(self, weights: tf.Variable, gradient: tf.Tensor) -> tf.Tensor:
        return tf.square(gradient)

    def scores(self, kernel: tf.Variable) -> tf.Tensor:
        return 0.5 * tf.square(kernel) * self.total(kernel) + TIES * tf.abs(kernel)
