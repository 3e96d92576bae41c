"""Conv1D as Conv2D on images of height 1: tfmot rounds kernels of four axes only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.rewrites.expand_to_4d import on_images
from tfopt.backend.quantization.canonical.rewrites.kernels import is_constrained, kept, takes_channels_last
from tfopt.backend.quantization.canonical.weights import named, ordered


def padding(layer: Any) -> str:
    """Padding of the convolution itself, once the causal one is a layer of its own."""
    return "valid" if layer.padding == "causal" else layer.padding


def padded(site: RewriteSite, image: Any) -> Any:
    """The image with the zeros in front that a causal convolution looks back at."""
    layer = site.layer
    if layer.padding != "causal":
        return image
    before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
    return site.make("padding", lambda name: layers.ZeroPadding2D(((0, 0), (before, 0)), name=name))(image)


class Conv1D(Rewrite):
    title = "Conv1D computed as Conv2D"

    def applies(self, site: RewriteSite) -> bool:
        layer = site.layer
        return type(layer) is layers.Conv1D and takes_channels_last(layer) and not is_constrained(layer)

    def replace(self, site: RewriteSite, inputs: Any) -> Any:
        layer, weights = site.layer, named(site.layer)
        conv = site.make(
            "",
            lambda name: layers.Conv2D(
                layer.filters,
                (1, *layer.kernel_size),
                strides=(1, *layer.strides),
                padding=padding(layer),
                dilation_rate=(1, *layer.dilation_rate),
                groups=layer.groups,
                **kept(layer),
                name=name,
            ),
            {**weights, "kernel": weights["kernel"][None]},
        )
        return on_images(site, inputs, lambda image: conv(padded(site, image)))

    def restore(self, site: RewriteSite, weights: Mapping[str, Mapping[str, np.ndarray]]) -> Sequence[np.ndarray]:
        made = weights[site.name]
        return ordered(site.layer, {**made, "kernel": made["kernel"][0]})
