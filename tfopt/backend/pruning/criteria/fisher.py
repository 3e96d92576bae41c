"""Squared weight times squared gradient: how much the loss would change, to second order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import tensorflow as tf

from tfopt.backend.pruning.criterion import Criterion, Needs
from tfopt.backend.training.hooks import Gradients

DECAY = 0.9
"""Of the moving average over steps."""
TIES = 1e-12
"""Weight of the magnitude, which decides where the averages are equal, as before the first step."""


class Fisher(Criterion):
    """Optimal brain damage (LeCun et al. 1990): w^2 h / 2, with the Fisher information as diagonal of the Hessian h.

    The information is the average of the squared gradients of batches (Theis et al. 2018, arXiv:1801.05787); the weight
    is that of the moment in which it is scored, where `taylor` averages the products.
    """

    needs: ClassVar[Needs] = "gradients"
    in_loss: ClassVar[bool] = True

    def track(self, kernels: Sequence[tf.Variable]) -> None:
        self._information = {kernel.ref(): tf.Variable(tf.zeros_like(kernel), trainable=False) for kernel in kernels}

    @property
    def variables(self) -> Sequence[tf.Variable]:
        return list(self._information.values())

    def on_gradients(self, gradients: Gradients) -> None:
        for gradient, variable in gradients:
            information = self._information.get(variable.ref())
            if information is not None and gradient is not None:
                square = tf.square(tf.convert_to_tensor(gradient))
                information.assign(DECAY * information + (1 - DECAY) * square)

    def scores(self, kernel: tf.Variable) -> tf.Tensor:
        return 0.5 * tf.square(kernel) * self._information[kernel.ref()] + TIES * tf.abs(kernel)
