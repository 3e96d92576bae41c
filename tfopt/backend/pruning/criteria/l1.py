"""Sum of absolute values: the units with the smallest are removed."""

from __future__ import annotations

import tensorflow as tf

from tfopt.backend.pruning.criterion import Criterion


class L1(Criterion):
    """L1 norm of the weights of a unit (Li et al. 2017, arXiv:1608.08710); of a single weight its absolute value."""

    def scores(self, kernel: tf.Variable) -> tf.Tensor:
        return tf.abs(kernel)
