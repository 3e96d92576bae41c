"""Conv1DTranspose as Conv2DTranspose on images of height 1."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.expand_to_4d import expand_to_4d
from tfopt.backend.quantization.canonical.kernel_arguments import is_channels_last, is_constrained, kept_arguments
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights, named, ordered
from tfopt.backend.types import Array


class Conv1DTranspose(Rewrite):
    title = "Conv1DTranspose computed as Conv2DTranspose"

    def applies(self, site: RewriteSite) -> bool:
        layer = site.layer
        return (
            type(layer) is layers.Conv1DTranspose
            and is_channels_last(layer)
            and layer.dilation_rate == (1,)
            and not is_constrained(layer)
        )

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        layer, weights = site.layer, named(site.layer)
        conv = site.make(
            "",
            lambda name: layers.Conv2DTranspose(
                layer.filters,
                (1, *layer.kernel_size),
                strides=(1, *layer.strides),
                padding=layer.padding,
                output_padding=layer.output_padding and (0, *layer.output_padding),
                **kept_arguments(layer),
                name=name,
            ),
            {**weights, "kernel": weights["kernel"][None]},
        )
        return expand_to_4d(site, inputs, conv)

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        made = weights[site.name]
        return ordered(site.layer, {**made, "kernel": made["kernel"][0]})
