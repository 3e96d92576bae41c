"""Pooling, padding, cropping and upsampling of sequences as those of images of height 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.expand_to_4d import expand_to_4d
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite


def _pooling(kind: type) -> Callable[[layers.Layer, str], layers.Layer]:
    def build(layer: layers.Layer, name: str) -> layers.Layer:
        size, strides = (1, *layer.pool_size), (1, *layer.strides)
        return kind(size, strides=strides, padding=layer.padding, name=name)

    return build


def _global_pooling(kind: type) -> Callable[[layers.Layer, str], layers.Layer]:
    return lambda layer, name: kind(keepdims=layer.keepdims, name=name)


_ON_IMAGES: Mapping[type, Callable[[layers.Layer, str], layers.Layer]] = {
    layers.AveragePooling1D: _pooling(layers.AveragePooling2D),
    layers.MaxPooling1D: _pooling(layers.MaxPooling2D),
    layers.GlobalAveragePooling1D: _global_pooling(layers.GlobalAveragePooling2D),
    layers.GlobalMaxPooling1D: _global_pooling(layers.GlobalMaxPooling2D),
    layers.Cropping1D: lambda layer, name: layers.Cropping2D(((0, 0), layer.cropping), name=name),
    layers.UpSampling1D: lambda layer, name: layers.UpSampling2D((1, layer.size), name=name),
    layers.ZeroPadding1D: lambda layer, name: layers.ZeroPadding2D(((0, 0), layer.padding), name=name),
}
_GLOBAL = (layers.GlobalAveragePooling1D, layers.GlobalMaxPooling1D)


class SequenceLayers(Rewrite):
    title = "computed by the layer for images"

    def applies(self, site: RewriteSite) -> bool:
        data_format = getattr(site.layer, "data_format", "channels_last")
        return type(site.layer) in _ON_IMAGES and data_format == "channels_last"

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        layer = site.layer
        image_layer = site.make("", lambda name: _ON_IMAGES[type(layer)](layer, name))
        dropped = isinstance(layer, _GLOBAL) and not layer.keepdims
        return expand_to_4d(site, inputs, image_layer, drop_axes=not dropped)
