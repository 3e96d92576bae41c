"""tfmot's pruning wrapper and masks, mended where they are silently wrong.

Each class here replaces one piece of tfmot 0.8.1, with what was measured on it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import tensorflow as tf
import tf_keras

from tfopt.backend.compat.tfmot_pruning import PruneLowMagnitude, PruningSchedule, pruning_impl
from tfopt.backend.pruning.below import kept_weights
from tfopt.backend.pruning.criterion import Criterion
from tfopt.backend.pruning.heads import Heads, heads_of
from tfopt.backend.types import Nested
from tfopt.core.config.pruning import Pattern
from tfopt.core.config.schedules import Threshold


class Masks(pruning_impl.Pruning):
    """tfmot's masks, with a criterion in place of magnitude, and m-by-n ones updated by the schedule like all others.

    tfmot makes an m-by-n mask at step 1 and never again, whatever the schedule: begun at a different step, or resumed,
    a model stays dense (measured: sparsity 0.0).

    Args:
        step: returns the number of the step in progress, 1 for the first.
        variables: triples of (weight, mask, threshold).
        schedule: when to update, and to which sparsity.
        pattern: how the zeros are arranged.
        criterion: ranks the weights.
        threshold: decides alone which weights stay; None where the schedule says how many.
    """

    def __init__(
        self,
        step: Callable[[], tf.Tensor],
        variables: list[tuple[tf.Variable, tf.Variable, tf.Variable]],
        schedule: PruningSchedule,
        pattern: Pattern,
        criterion: Criterion,
        threshold: Threshold | None = None,
    ) -> None:
        super().__init__(step, variables, schedule, pattern.block_size, pooling(pattern))
        self._m_by_n = pattern.sparsity_m_by_n
        self._criterion = criterion
        self._threshold = threshold

    def _maybe_update_block_mask(self, weights: tf.Variable) -> tuple[tf.Tensor, tf.Tensor]:
        # tfmot ranks the absolute values of what it is given: scores are not negative.
        scores = self._criterion.scores(weights)
        if self._threshold is not None:
            mask = kept_weights(scores, self._threshold)
            return tf.zeros([], weights.dtype), tf.cast(mask, weights.dtype)
        if self._m_by_n is None:
            return super()._maybe_update_block_mask(scores)
        mask = self._update_mask_sparsity_m_by_n(scores, self._m_by_n)
        return tf.zeros([], weights.dtype), tf.cast(mask, weights.dtype)


class HeadMasks(Masks):
    """Masks under which whole attention heads are zero, or their weights are as they were trained.

    Args:
        heads: of the layer; the others are as for `Masks`.
    """

    def __init__(
        self,
        step: Callable[[], tf.Tensor],
        variables: list[tuple[tf.Variable, tf.Variable, tf.Variable]],
        schedule: PruningSchedule,
        pattern: Pattern,
        criterion: Criterion,
        *,
        heads: Heads,
    ) -> None:
        super().__init__(step, variables, schedule, pattern, criterion)
        self._heads = heads

    def _maybe_update_block_mask(self, weights: tf.Variable) -> tuple[tf.Tensor, tf.Tensor]:
        sparsity = self._pruning_schedule(self._step_fn())[1]
        kept = self._heads.kept(self._heads.scores(self._criterion.scores), sparsity)
        return tf.zeros([], weights.dtype), tf.cast(self._heads.of(weights).mask(kept), weights.dtype)


class BlockMasks(Masks):
    """Masks of a layer that is zero as a whole, at sparsity 1, or not at all, at sparsity 0."""

    def _maybe_update_block_mask(self, weights: tf.Variable) -> tuple[tf.Tensor, tf.Tensor]:
        sparsity = self._pruning_schedule(self._step_fn())[1]
        return tf.zeros([], weights.dtype), tf.fill(weights.shape, tf.cast(1.0 - sparsity, weights.dtype))


class PruneByOptimizer(PruneLowMagnitude):
    """tfmot's wrapper, with its step taken from the optimizer.

    tfmot's wrapper counts its own calls. A layer that is called twice in a model is counted twice, and its schedule
    runs twice as fast (measured: `pruning_step` 176 after 88 steps); and the count depends on a callback having started
    it. The optimizer's own count is right in all cases, and is saved and restored with it.

    Args:
        layer: the layer to prune.
        schedule: in optimizer steps of the stage, of which the first is 1.
        pattern: how the zeros are arranged.
        criterion: ranks the weights.
        step: returns the number of the step in progress, 1 for the first.
        threshold: decides alone which weights stay; None where the schedule says how many.
    """

    def __init__(
        self,
        layer: tf_keras.layers.Layer,
        schedule: PruningSchedule,
        pattern: Pattern,
        criterion: Criterion,
        step: Callable[[], tf.Tensor],
        threshold: Threshold | None = None,
    ) -> None:
        super().__init__(layer, schedule, pattern.block_size, pooling(pattern))
        self.pattern, self.criterion, self.threshold = pattern, criterion, threshold
        self._step = step
        self._inner_arguments = inspect.signature(layer.call).parameters
        # tfmot's wrapper stops Keras masks: after a pruned Embedding(mask_zero=True) an LSTM would see the padding.
        self.supports_masking = layer.supports_masking

    def build(self, input_shape: Nested) -> None:
        super().build(input_shape)
        keys = (self._step, self.pruning_vars, self.pruning_schedule, self.pattern, self.criterion)
        heads = heads_of(self.layer) if self.pattern.unit == "head" else None
        if heads is not None:
            self.pruning_obj = HeadMasks(*keys, heads=heads)
        elif self.pattern.unit == "block":
            self.pruning_obj = BlockMasks(*keys)
        else:
            self.pruning_obj = Masks(*keys, self.threshold)

    def call(self, inputs: Nested, training: Nested = None, mask: Nested = None, **arguments: Nested) -> Nested:
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

    def compute_mask(self, inputs: Nested, mask: Nested = None) -> Nested:
        return self.layer.compute_mask(inputs, mask)


def pooling(pattern: Pattern) -> str:
    """tfmot's name for how a block is judged."""
    return {"average": "AVG", "max": "MAX"}[pattern.block_pooling]
