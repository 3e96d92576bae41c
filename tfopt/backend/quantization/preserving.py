"""Keeping what earlier stages did to the weights while they are trained further and rounded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.cluster_preserve import (
    cluster_preserve_quantize_registry as tfmot_clusters,
)
from tensorflow_model_optimization.quantization.keras.quantizers import Quantizer

from tfopt.backend.quantization.quantizers import ChannelQuantizer, SparsityPreserving, TensorQuantizer

_MOST_CLUSTERS = 256
"""Unique values per channel up to which a kernel counts as clustered."""

_CLUSTER_PRESERVING = {
    ChannelQuantizer: tfmot_clusters.ClusterPreserveDefault8BitConvWeightsQuantizer,
    TensorQuantizer: tfmot_clusters.ClusterPreserveDefault8BitWeightsQuantizer,
}
"""tfmot's cluster-preserving version of a quantizer; it has none for depthwise and transposed convolutions."""


@dataclass(frozen=True)
class Preserve:
    """What the weights must not lose.

    Args:
        sparsity: zeros stay zeros.
        clusters: equal values stay equal.
    """

    sparsity: bool = False
    clusters: bool = False

    @classmethod
    def of(cls, traits: Iterable[str]) -> Preserve:
        """What a model of these traits must not lose."""
        traits = frozenset(traits)
        return cls(sparsity="sparse" in traits, clusters="clustered" in traits)


def preserving(quantizer: Quantizer, weight: tf.Variable, preserve: Preserve) -> Quantizer:
    """The quantizer that rounds like `quantizer` and keeps what there is to keep in `weight`."""
    values = weight.numpy()
    sparse = preserve.sparsity and bool((values == 0).any())
    if preserve.clusters and type(quantizer) in _CLUSTER_PRESERVING and _is_clustered(values):
        return _CLUSTER_PRESERVING[type(quantizer)](preserve_sparsity=sparse)
    return SparsityPreserving(quantizer) if sparse else quantizer


def hold_zeros(variables: Iterable[tf.Variable]) -> None:
    """Keeps the zeros of weights that no quantizer rounds, such as those of a skipped layer or a nested model.

    The optimizer applies a variable's constraint after every step. Biases and other vectors are left alone: zero is
    where they start.
    """
    for variable in variables:
        mask = tf.cast(tf.not_equal(variable, 0.0), variable.dtype)
        if variable.shape.rank >= 2 and not tf.reduce_all(mask > 0):
            variable._constraint = _Mask(mask)


@dataclass(frozen=True)
class _Mask:
    """A constraint that multiplies by a mask."""

    mask: tf.Tensor

    def __call__(self, value: tf.Tensor) -> tf.Tensor:
        return value * self.mask


def _is_clustered(values: np.ndarray) -> bool:
    # A kernel with one value only cannot be handed to tfmot: it warns and does nothing.
    channels = values.reshape(-1, values.shape[-1]).T
    per_channel = max(len(np.unique(channel)) for channel in channels)
    return per_channel <= _MOST_CLUSTERS and len(np.unique(values)) > 1
