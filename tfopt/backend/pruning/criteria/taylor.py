"""Product of weight and gradient: how much the loss would change, to first order."""

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


class Taylor(Criterion):
    """Squared change of the loss without a weight, to first order (Molchanov et al. 2019, arXiv:1906.10771)."""

    needs: ClassVar[Needs] = "gradients"
    in_loss: ClassVar[bool] = True

    def track(self, kernels: Sequence[tf.Variable]) -> None:
        self._averages = {kernel.ref(): tf.Variable(tf.zeros_like(kernel), trainable=False) for kernel in kernels}

    @property
    def variables(self) -> Sequence[tf.Variable]:
        return list(self._averages.values())

    def on_gradients(self, gradients: Gradients) -> None:
        for gradient, variable in gradients:
            average = self._averages.get(variable.ref())
            if average is not None and gradient is not None:
                change = tf.square(tf.convert_to_tensor(gradient) * variable)
                average.assign(DECAY * average + (1 - DECAY) * change)

    def scores(self, kernel: tf.Variable) -> tf.Tensor:
        return self._averages[kernel.ref()] + TIES * tf.abs(kernel)
