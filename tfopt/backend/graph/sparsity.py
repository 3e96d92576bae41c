"""Counting zeros."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tf_keras

from tfopt.backend.graph.kernels import prunable_kernels
from tfopt.backend.graph.layers import leaf_layers
from tfopt.core.config.pruning import Pattern


def sparsity(model: tf_keras.Model) -> float:
    """Sparsity of a model, `measures.sparsity` of a stage in report.json.

    The denominator is the number of weights in `prunable_kernels`, those of frozen layers included. Depthwise kernels,
    which tfmot never prunes, are not in it, although they count in the sparsity of their layer (`layer_records`). The
    sparsity is 0 where there are no such weights.
    """
    return share_of_zeros([kernel.numpy() for layer in leaf_layers(model) for kernel in prunable_kernels(layer)])


def layer_sparsity(layer: tf_keras.layers.Layer) -> float:
    """Share of zeros over the kernels of one layer; 0 where tfmot prunes none of its weights."""
    return share_of_zeros([kernel.numpy() for kernel in prunable_kernels(layer)])


def share_of_zeros(arrays: Sequence[np.ndarray]) -> float:
    """Share of zeros over all values of some arrays; 0 where there are none."""
    size = sum(array.size for array in arrays)
    return 1 - sum(np.count_nonzero(array) for array in arrays) / size if size else 0.0


def pattern_sparsity(kernel: np.ndarray, pattern: Pattern) -> tuple[float, float]:
    """Share of zeros in the unit that the pattern prunes, and the share that one unit is.

    Args:
        kernel: weights.
        pattern: single weights, or blocks, of which the last in a row or column may be cut off by the edge.
    """
    if pattern.block_size == (1, 1):
        return 1 - np.count_nonzero(kernel) / kernel.size, 1 / kernel.size
    height, width = pattern.block_size
    padded = np.pad(kernel, ((0, -kernel.shape[0] % height), (0, -kernel.shape[1] % width)))
    blocks = padded.reshape(padded.shape[0] // height, height, padded.shape[1] // width, width)
    alive = blocks.any(axis=(1, 3))
    return 1 - np.count_nonzero(alive) / alive.size, 1 / alive.size
