"""DepthwiseConv1D as DepthwiseConv2D on images of height 1."""

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
from tfopt.backend.types import Array, Config

_KERNELS = ("depthwise_kernel", "pointwise_kernel")


class ChannelwiseConv1D(Rewrite):
    """DepthwiseConv1D and SeparableConv1D: equal strides along both axes, and kernels with one axis less."""

    kind: type

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) is self.kind and is_channels_last(site.layer) and not is_constrained(site.layer)

    def build(self, layer: layers.Layer, shared: Config, name: str) -> layers.Layer:
        """The layer for images.

        Args:
            layer: the layer for sequences.
            shared: the arguments that are the same for both kinds.
            name: of the new layer.
        """
        raise NotImplementedError

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        layer = site.layer
        weights = {name: value[None] if name in _KERNELS else value for name, value in named(layer).items()}
        shared = {
            "strides": layer.strides * 2,
            "padding": padding_2d(layer),
            "dilation_rate": (1, *layer.dilation_rate),
            "depth_multiplier": layer.depth_multiplier,
            **kept_arguments(layer, "depthwise"),
        }
        conv = site.make("", lambda name: self.build(layer, shared, name), weights)
        return expand_to_4d(site, inputs, lambda image: conv(padded_2d(site, image)))

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        made = {name: value[0] if name in _KERNELS else value for name, value in weights[site.name].items()}
        return ordered(site.layer, made)


class DepthwiseConv1D(ChannelwiseConv1D):
    title = "DepthwiseConv1D computed as DepthwiseConv2D"
    kind = layers.DepthwiseConv1D

    def build(self, layer: layers.Layer, shared: Config, name: str) -> layers.Layer:
        return layers.DepthwiseConv2D((1, *layer.kernel_size), **shared, name=name)
