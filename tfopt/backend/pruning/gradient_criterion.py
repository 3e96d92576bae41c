"""Criteria that accumulate gradients: one variable per kernel, updated in each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import tensorflow as tf

from tfopt.backend.pruning.criterion import Criterion, Needs
from tfopt.backend.training.hooks import Gradients

DECAY = 0.9
"""Of a moving average over steps."""
TIES = 1e-12
"""Weight of the magnitude, which decides where the averages are equal, as before the first step."""


class GradientCriterion(Criterion):
    """Keeps a number for each weight, zero at first, and updates it from the gradients of each step."""

    needs: ClassVar[Needs] = "gradients"

    def track(self, kernels: Sequence[tf.Variable]) -> None:
        self._totals = {kernel.ref(): tf.Variable(tf.zeros_like(kernel), trainable=False) for kernel in kernels}

    @property
    def variables(self) -> Sequence[tf.Variable]:
        return list(self._totals.values())

    def on_gradients(self, gradients: Gradients) -> None:
        for gradient, variable in gradients:
            total = self._totals.get(variable.ref())
            if total is not None and gradient is not None:
                total.assign(self.updated(total, variable, tf.convert_to_tensor(gradient)))

    def updated(self, total: tf.Variable, weights: tf.Variable, gradient: tf.Tensor) -> tf.Tensor:
        """What is kept after a step, in the shape of the kernel.

        Args:
            total: what was kept before the step.
            weights: the kernel.
            gradient: of the loss, with respect to the kernel.
        """
        raise NotImplementedError

    def total(self, kernel: tf.Variable) -> tf.Variable:
        """What is kept for a kernel, in its shape."""
        return self._totals[kernel.ref()]


class MovingAverage(GradientCriterion):
    """Keeps a moving average over the steps."""

    in_loss: ClassVar[bool] = True

    def updated(self, total: tf.Variable, weights: tf.Variable, gradient: tf.Tensor) -> tf.Tensor:
        return DECAY * total + (1 - DECAY) * self.value(weights, gradient)

    def value(self, weights: tf.Variable, gradient: tf.Tensor) -> tf.Tensor:
        """What is averaged: the value of one step, in the shape of the kernel.

        Args:
            weights: the kernel.
            gradient: of the loss, with respect to the kernel.
        """
        raise NotImplementedError
