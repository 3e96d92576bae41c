"""The sparsity of each layer under one threshold for the scores of all layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfopt.backend.compat.tfmot_pruning import pruning_utils
from tfopt.backend.pruning.heads import heads_of
from tfopt.backend.pruning.masks import PruneByOptimizer, pooling
from tfopt.backend.types import Array
from tfopt.core.config.allocation import GlobalAllocation, share_out


def global_shares(wrappers: Sequence[PruneByOptimizer], allocation: GlobalAllocation, sparsity: float) -> list[float]:
    """The sparsity of each layer under one threshold, by the scores of its weights as they are now.

    A layer with several kernels (separable, recurrent) counts as one, and its kernels get the same sparsity; a layer
    that is pruned in blocks or by heads is judged by these, as its mask is.

    Args:
        wrappers: the layers.
        allocation: least and greatest sparsity of a layer.
        sparsity: of all layers together.
    """
    scores = [np.sort(_layer_scores(wrapper)) for wrapper in wrappers]
    return share_out(
        [num_weights(wrapper) for wrapper in wrappers],
        lambda threshold: [np.searchsorted(found, threshold, side="right") / found.size for found in scores],
        max(float(found[-1]) for found in scores),
        sparsity,
        allocation.floor,
        allocation.ceiling,
    )


def num_weights(wrapper: PruneByOptimizer) -> int:
    """How many weights a layer has that can be pruned."""
    return sum(int(tf.size(weight)) for weight, _, _ in wrapper.pruning_vars)


def _layer_scores(wrapper: PruneByOptimizer) -> Array:
    heads = heads_of(wrapper.layer) if wrapper.pattern.unit == "head" else None
    if heads is not None:
        found: Array = heads.scores(wrapper.criterion.scores).numpy()
        return found
    return np.concatenate([_scores(weight, wrapper) for weight, _, _ in wrapper.pruning_vars])


def _scores(weight: tf.Variable, wrapper: PruneByOptimizer) -> Array:
    """The scores that the mask ranks: of weights or of blocks."""
    scores = wrapper.criterion.scores(weight)
    if wrapper.pattern.block_size != (1, 1):
        window = list(wrapper.pattern.block_size)
        scores = pruning_utils.factorized_pool(
            scores, window_shape=window, pooling_type=pooling(wrapper.pattern), strides=window, padding="SAME"
        )
    return scores.numpy().ravel()
