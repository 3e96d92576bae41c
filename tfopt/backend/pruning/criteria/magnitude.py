"""Absolute values of the weights: the smallest are pruned."""

from __future__ import annotations

import tensorflow as tf

from tfopt.backend.pruning.criterion import Criterion


class Magnitude(Criterion):
    """A weight is as important as its absolute value (Han et al. 2015, arXiv:1506.02626)."""

    def scores(self, kernel: tf.Variable) -> tf.Tensor:
        return tf.abs(kernel)
