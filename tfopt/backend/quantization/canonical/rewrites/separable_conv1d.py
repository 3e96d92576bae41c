"""SeparableConv1D as SeparableConv2D on images of height 1, which `separable_conv2d` then splits.

tfmot's own transform inserts Lambda layers, which tf_keras refuses to read back (keras-team/tf-keras #44).
"""

from __future__ import annotations

from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrites.depthwise_conv1d import ChannelwiseConv1D
from tfopt.backend.types import Config


class SeparableConv1D(ChannelwiseConv1D):
    title = "SeparableConv1D computed as SeparableConv2D"
    kind = layers.SeparableConv1D

    def build(self, layer: layers.Layer, shared: Config, name: str) -> layers.Layer:
        return layers.SeparableConv2D(
            layer.filters,
            (1, *layer.kernel_size),
            pointwise_regularizer=layer.pointwise_regularizer,
            **shared,
            name=name,
        )
