"""Which layers of a model can be clustered, and why the others cannot."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfopt.backend.graph.channels import rows
from tfopt.backend.graph.kernels import clusterable_kernels
from tfopt.backend.graph.layers import layer_type
from tfopt.core.config.clustering import Sharing
from tfopt.core.language.wording import counted

layers = tf_keras.layers

_CONVOLUTIONS = (
    layers.Conv1D,
    layers.Conv2D,
    layers.Conv3D,
    layers.SeparableConv1D,
    layers.SeparableConv2D,
)
"""Layers whose kernels have a scale for each output channel in an int8 file; transposed ones are subclasses."""


def reason_not_clusterable(layer: tf_keras.layers.Layer) -> str | None:
    """Why a layer cannot be clustered at all; None if it can."""
    kind = layer_type(layer)
    if not layer.weights:
        return "has no weights"
    if isinstance(layer, layers.DepthwiseConv2D):
        return "DepthwiseConv2D is never clustered by tfmot: its kernels are small and accuracy suffers"
    if isinstance(layer, (layers.BatchNormalization, layers.LayerNormalization)):
        return f"{kind} has no kernel"
    if not layer.trainable:
        return "is frozen (trainable=False)"
    if not clusterable_kernels(layer):
        return f"tfmot clusters no weights of {kind}"
    return None


def shares_per_channel(layer: tf_keras.layers.Layer, sharing: Sharing) -> bool:
    """Whether clusters are made for each output channel: where it is asked for, and the layer is a convolution."""
    return sharing.per_channel and isinstance(layer, _CONVOLUTIONS)


def reason_too_small(layer: tf_keras.layers.Layer, sharing: Sharing) -> str | None:
    """Why clustering a clusterable layer would change nothing; None if it would."""
    per_channel = shares_per_channel(layer, sharing)
    kernels = clusterable_kernels(layer)
    largest = max(int(rows(kernel, layer).shape[1]) if per_channel else int(tf.size(kernel)) for kernel in kernels)
    if largest > sharing.clusters:
        return None
    return (
        f"has {counted(largest, 'weight')}{' per channel' if per_channel else ''}, no more than "
        f"{counted(sharing.clusters, 'cluster')}"
    )
