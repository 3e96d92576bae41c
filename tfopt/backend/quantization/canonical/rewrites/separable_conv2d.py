"""SeparableConv2D as the two operators that TFLite has for it."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights, named, ordered
from tfopt.backend.types import Array

_DEPTHWISE, _POINTWISE = "depthwise", "pointwise"


class SeparableConv2D(Rewrite):
    title = "SeparableConv2D computed as DepthwiseConv2D and Conv2D"

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) is layers.SeparableConv2D

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        layer, weights = site.layer, named(site.layer)
        depthwise = site.make(
            _DEPTHWISE,
            lambda name: layers.DepthwiseConv2D(
                layer.kernel_size,
                strides=layer.strides,
                padding=layer.padding,
                depth_multiplier=layer.depth_multiplier,
                data_format=layer.data_format,
                dilation_rate=layer.dilation_rate,
                use_bias=False,
                depthwise_regularizer=layer.depthwise_regularizer,
                depthwise_constraint=layer.depthwise_constraint,
                name=name,
            ),
            {"depthwise_kernel": weights["depthwise_kernel"]},
        )
        pointwise = site.make(
            _POINTWISE,
            lambda name: layers.Conv2D(
                layer.filters,
                1,
                data_format=layer.data_format,
                activation=layer.activation,
                use_bias=layer.use_bias,
                kernel_regularizer=layer.pointwise_regularizer,
                bias_regularizer=layer.bias_regularizer,
                activity_regularizer=layer.activity_regularizer,
                kernel_constraint=layer.pointwise_constraint,
                bias_constraint=layer.bias_constraint,
                name=name,
            ),
            {**weights, "kernel": weights["pointwise_kernel"]},
        )
        return pointwise(depthwise(inputs))

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        pointwise = weights[site.named(_POINTWISE)]
        return ordered(
            site.layer, {**pointwise, **weights[site.named(_DEPTHWISE)], "pointwise_kernel": pointwise["kernel"]}
        )
