"""Movement: weights that training moves towards zero are pruned, whatever their size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import tensorflow as tf

from tfopt.backend.pruning.criterion import Criterion, Needs
from tfopt.backend.training.hooks import Gradients

TIES = 1e-4
"""Weight of the magnitude, which decides where no weight has moved; smaller ones are lost in float32 beside 1."""


class Movement(Criterion):
    """Sum of -weight * gradient over the steps (Sanh et al. 2020, arXiv:2005.07683): negative where it goes to zero.

    A pruned weight is zero, so that its sum stays what it was when it was pruned.
    """

    needs: ClassVar[Needs] = "training"

    def track(self, kernels: Sequence[tf.Variable]) -> None:
        self._sums = {kernel.ref(): tf.Variable(tf.zeros_like(kernel), trainable=False) for kernel in kernels}

    @property
    def variables(self) -> Sequence[tf.Variable]:
        return list(self._sums.values())

    def on_gradients(self, gradients: Gradients) -> None:
        for gradient, variable in gradients:
            total = self._sums.get(variable.ref())
            if total is not None and gradient is not None:
                total.assign_sub(tf.convert_to_tensor(gradient) * variable)

    def scores(self, kernel: tf.Variable) -> tf.Tensor:
        # Scores must not be negative: a rising function of the sum, 1 where the weight has not moved.
        moved = self._sums[kernel.ref()]
        rising = tf.where(moved >= 0, 1 + tf.nn.relu(moved), 1 / (1 + tf.nn.relu(-moved)))
        return rising + TIES * tf.abs(kernel)
