"""Conv1D as Conv2D on images of height 1: tfmot rounds kernels of four axes only."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.expand_to_4d import expand_to_4d
from tfopt.backend.quantization.canonical.kernel_arguments import (
    is_channels_last,
    is_constrained,
    kept_arguments,
    padded_2d,
    padding_2d,
)
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights, named, ordered
from tfopt.backend.types import Array


class Conv1D(Rewrite):
    title = "Conv1D computed as Conv2D"

    def applies(self, site: RewriteSite) -> bool:
        layer = site.layer
        return type(layer) is layers.Conv1D and is_channels_last(layer) and not is_constrained(layer)

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        layer, weights = site.layer, named(site.layer)
        conv = site.make(
            "",
            lambda name: layers.Conv2D(
                layer.filters,
                (1, *layer.kernel_size),
                strides=(1, *layer.strides),
                padding=padding_2d(layer),
                dilation_rate=(1, *layer.dilation_rate),
                groups=layer.groups,
                **kept_arguments(layer),
                name=name,
            ),
            {**weights, "kernel": weights["kernel"][None]},
        )
        return expand_to_4d(site, inputs, lambda image: conv(padded_2d(site, image)))

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        made = weights[site.name]
        return ordered(site.layer, {**made, "kernel": made["kernel"][0]})
