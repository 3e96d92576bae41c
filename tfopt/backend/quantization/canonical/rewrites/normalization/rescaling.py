"""Rescaling and Normalization: a scale and a shift that are not trained."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.affine import affine, can_be_affine
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite, required
from tfopt.backend.quantization.canonical.weights import NamedWeights
from tfopt.backend.types import Array


class ScaleAndShift(Rewrite):
    title = "computed as 1x1 DepthwiseConv2D"

    def applies(self, site: RewriteSite) -> bool:
        return can_be_affine(site) and _scale_and_shift(site.layer, site.inputs[0].shape[-1]) is not None

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        made = affine(site, inputs, *required(_scale_and_shift(site.layer, inputs.shape[-1])))
        for layer in site.made.values():
            layer.trainable = False
        return made

    def restore(self, site: RewriteSite, weights: NamedWeights) -> list[Array]:
        return site.layer.get_weights()


def _scale_and_shift(layer: layers.Layer, channels: int) -> tuple[Array, Array] | None:
    """One value each, or one per channel; None for a different layer, or one that scales along a different axis."""
    if type(layer) is layers.Rescaling:
        scale, shift = np.asarray(layer.scale, np.float32), np.asarray(layer.offset, np.float32)
    elif type(layer) is layers.Normalization:
        mean, deviation = np.asarray(layer.mean), np.maximum(np.sqrt(layer.variance), 1e-7)
        scale, shift = (deviation, mean) if layer.invert else (1 / deviation, -mean / deviation)
    else:
        return None
    fits = all(value.size in (1, channels) and value.shape[-1:] in ((), (value.size,)) for value in (scale, shift))
    return (scale.reshape(-1), shift.reshape(-1)) if fits else None
