"""Random scores: the baseline that every other criterion has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from tfopt.backend.pruning.criterion import Criterion


class Random(Criterion):
    """Scores that are drawn once for each kernel, by its position in the model."""

    def track(self, kernels: Sequence[tf.Variable]) -> None:
        self._scores = {
            kernel.ref(): tf.random.stateless_uniform(kernel.shape, seed=(index, 13), dtype=kernel.dtype)
            for index, kernel in enumerate(kernels)
        }

    def scores(self, kernel: tf.Variable) -> tf.Tensor:
        return self._scores[kernel.ref()]
