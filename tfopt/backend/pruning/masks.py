"""tfmot's pruning wrapper and masks, mended where they are silently wrong.

Each class here replaces one piece of tfmot 0.8.1, with what was measured on it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tf_keras

from tfopt.backend.compat.tfmot_pruning import PruneLowMagnitude, PruningSchedule, pruning_impl
from tfopt.core.config.pruning import Pattern


class Masks(pruning_impl.Pruning):
    """tfmot's masks, with m-by-n ones renewed by the schedule like all others.

    tfmot makes an m-by-n mask at step 1 and never again, whatever the schedule says: begun at another step, or resumed,
    a model stays dense (measured: sparsity 0.0).

    Args:
        step: gives the number of the step in progress, 1 for the first.
        variables: triples of (weight, mask, threshold).
        schedule: when to renew, and to which sparsity.
        pattern: how the zeros are arranged.
    """

    def __init__(
        self,
        step: Callable[[], tf.Tensor],
        variables: list[tuple[tf.Variable, tf.Variable, tf.Variable]],
        schedule: PruningSchedule,
        pattern: Pattern,
    ) -> None:
        super().__init__(step, variables, schedule, pattern.block_size, pooling(pattern))
        self._m_by_n = pattern.sparsity_m_by_n

    def _maybe_update_block_mask(self, weights: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if self._m_by_n is None:
            return super()._maybe_update_block_mask(weights)
        mask = self._update_mask_sparsity_m_by_n(weights, self._m_by_n)
        return tf.zeros([], weights.dtype), tf.cast(mask, weights.dtype)


class PruneByOptimizer(PruneLowMagnitude):
    """tfmot's wrapper, with its step taken from the optimizer.

    tfmot's wrapper counts its own calls. A layer that is called twice in a model is counted twice, and its schedule
    runs twice as fast (measured: `pruning_step` 176 after 88 steps); and the count depends on a callback having started
    it. The optimizer's own count is right in all cases, and is saved and restored with it.

    Args:
        layer: the layer to prune.
        schedule: in optimizer steps of the stage, of which the first is 1.
        pattern: how the zeros are arranged.
        step: gives the number of the step in progress, 1 for the first.
    """

    def __init__(
        self,
        layer: tf_keras.layers.Layer,
        schedule: PruningSchedule,
        pattern: Pattern,
        step: Callable[[], tf.Tensor],
    ) -> None:
        super().__init__(layer, schedule, pattern.block_size, pooling(pattern))
        self.pattern = pattern
        self._step = step
        self._inner_arguments = inspect.signature(layer.call).parameters
        # tfmot's wrapper stops Keras masks: after a pruned Embedding(mask_zero=True) an LSTM would see the padding.
        self.supports_masking = layer.supports_masking

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.pruning_obj = Masks(self._step, self.pruning_vars, self.pruning_schedule, self.pattern)

    def call(self, inputs: Any, training: Any = None, mask: Any = None, **arguments: Any) -> Any:
        if training is None:
            training = tf_keras.backend.learning_phase()
        if tf.is_tensor(training):
            tf.cond(tf.cast(training, tf.bool), self.pruning_obj.conditional_mask_update, tf.no_op)
        elif training:
            self.pruning_obj.conditional_mask_update()
        self.pruning_obj.weight_mask_op()
        for name, value in (("training", training), ("mask", mask)):
            if name in self._inner_arguments:
                arguments[name] = value
        return self.layer.call(inputs, **arguments)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.layer.compute_mask(inputs, mask)


def pooling(pattern: Pattern) -> str:
    """tfmot's name for what stands for a block."""
    return {"average": "AVG", "max": "MAX"}[pattern.block_pooling]
