"""DepthwiseConv1D and SeparableConv1D as their versions for images of height 1.

tfmot's own transform of SeparableConv1D inserts Lambda layers, which tf_keras refuses to read back
(keras-team/tf-keras #44).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.rewrites.conv1d import padded, padding
from tfopt.backend.quantization.canonical.rewrites.expand_to_4d import on_images
from tfopt.backend.quantization.canonical.rewrites.kernels import is_constrained, kept, takes_channels_last
from tfopt.backend.quantization.canonical.weights import named, ordered

_KERNELS = ("depthwise_kernel", "pointwise_kernel")


class _ChannelByChannel(Rewrite):
    """What both have in common: equal strides along both axes, and kernels with one axis less."""

    kind: type

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) is self.kind and takes_channels_last(site.layer) and not is_constrained(site.layer)

    def build(self, layer: Any, shared: Mapping[str, Any], name: str) -> layers.Layer:
        """The layer for images, given the arguments that are the same for both kinds."""
        raise NotImplementedError

    def replace(self, site: RewriteSite, inputs: Any) -> Any:
        layer = site.layer
        weights = {name: value[None] if name in _KERNELS else value for name, value in named(layer).items()}
        shared = {
            "strides": layer.strides * 2,
            "padding": padding(layer),
            "dilation_rate": (1, *layer.dilation_rate),
            "depth_multiplier": layer.depth_multiplier,
            **kept(layer, "depthwise"),
        }
        conv = site.make("", lambda name: self.build(layer, shared, name), weights)
        return on_images(site, inputs, lambda image: conv(padded(site, image)))

    def restore(self, site: RewriteSite, weights: Mapping[str, Mapping[str, np.ndarray]]) -> Sequence[np.ndarray]:
        made = {name: value[0] if name in _KERNELS else value for name, value in weights[site.name].items()}
        return ordered(site.layer, made)


class DepthwiseConv1D(_ChannelByChannel):
    title = "DepthwiseConv1D computed as DepthwiseConv2D"
    kind = layers.DepthwiseConv1D

    def build(self, layer: Any, shared: Mapping[str, Any], name: str) -> layers.Layer:
        return layers.DepthwiseConv2D((1, *layer.kernel_size), **shared, name=name)


class SeparableConv1D(_ChannelByChannel):
    title = "SeparableConv1D computed on images"
    kind = layers.SeparableConv1D

    def build(self, layer: Any, shared: Mapping[str, Any], name: str) -> layers.Layer:
        return layers.SeparableConv2D(
            layer.filters,
            (1, *layer.kernel_size),
            pointwise_regularizer=layer.pointwise_regularizer,
            **shared,
            name=name,
        )
