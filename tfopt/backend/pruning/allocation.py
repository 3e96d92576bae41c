"""Sharing out zeros among layers by what their weights are now."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfopt.backend.compat.tfmot_pruning import pruning_utils
from tfopt.backend.pruning.masks import PruneByOptimizer, pooling
from tfopt.core.config.allocation import GlobalAllocation, share_out
from tfopt.core.config.pruning import Pattern


def global_shares(wrappers: Sequence[PruneByOptimizer], allocation: GlobalAllocation, sparsity: float) -> list[float]:
    """The sparsity of each layer under one threshold, by its weights as they are now.

    A layer with several kernels (separable, recurrent) counts as one, and its kernels get the same share; a layer that
    is pruned in blocks is judged by its blocks, as its mask is.

    Args:
        wrappers: the layers.
        allocation: least and greatest sparsity of a layer.
        sparsity: of all layers together.
    """
    magnitudes = [
        np.sort(np.concatenate([_magnitudes(weight, wrapper.pattern) for weight, _, _ in wrapper.pruning_vars]))
        for wrapper in wrappers
    ]
    return share_out(
        [num_weights(wrapper) for wrapper in wrappers],
        lambda threshold: [np.searchsorted(found, threshold, side="right") / found.size for found in magnitudes],
        max(float(found[-1]) for found in magnitudes),
        sparsity,
        allocation.floor,
        allocation.ceiling,
    )


def num_weights(wrapper: PruneByOptimizer) -> int:
    """How many weights a layer has that can be pruned."""
    return sum(int(tf.size(weight)) for weight, _, _ in wrapper.pruning_vars)


def _magnitudes(weight: tf.Variable, pattern: Pattern) -> np.ndarray:
    magnitudes = tf.abs(weight)
    if pattern.block_size != (1, 1):
        window = list(pattern.block_size)
        magnitudes = pruning_utils.factorized_pool(
            magnitudes, window_shape=window, pooling_type=pooling(pattern), strides=window, padding="SAME"
        )
    return magnitudes.numpy().ravel()
