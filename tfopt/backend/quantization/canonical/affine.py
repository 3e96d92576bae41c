"""A scale and a shift per channel, as the one operator for it that TFLite computes in integers.

A product and a sum with constants stay float around a quantized model; a 1x1 DepthwiseConv2D does not, and equals them
to 4e-7 (TF 2.21).
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.expand_to_4d import IMAGE_RANK, expand_to_4d
from tfopt.backend.quantization.canonical.rewrite import RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights
from tfopt.backend.types import Array


def can_be_affine(site: RewriteSite) -> bool:
    """Whether a layer's inputs can be scaled per channel: floating-point, a fixed last axis, at most four axes."""
    return all(
        tensor.dtype.is_floating and 2 <= (tensor.shape.rank or 0) <= IMAGE_RANK and tensor.shape[-1] is not None
        for tensor in site.inputs
    )


def affine(site: RewriteSite, inputs: tf.Tensor, scale: Array | float, shift: Array | float | None) -> tf.Tensor:
    """Computes `inputs * scale + shift`.

    Args:
        site: the layer that is rewritten; its main new layer computes the result.
        inputs: tensor with the channels last.
        scale: one number, or one per channel.
        shift: one number, or one per channel; None for no shift, which then is not trained either.
    """
    channels = inputs.shape[-1]
    weights = {"depthwise_kernel": np.broadcast_to(np.asarray(scale, np.float32), (channels,)).reshape(1, 1, -1, 1)}
    if shift is not None:
        weights["bias"] = np.broadcast_to(np.asarray(shift, np.float32), (channels,))
    depthwise = site.make("", lambda name: layers.DepthwiseConv2D(1, use_bias=shift is not None, name=name), weights)
    return expand_to_4d(site, inputs, depthwise)


def trained_affine(site: RewriteSite, weights: NamedWeights) -> tuple[Array, Array]:
    """Scale and shift per channel after training."""
    made = weights[site.name]
    return made["depthwise_kernel"].reshape(-1), made["bias"]
