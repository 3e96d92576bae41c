"""Dilated Conv2D as a layer that the converter makes one operator of."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.custom_layers import DilatedConv2D
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights, named, ordered
from tfopt.backend.types import Array


class Dilation(Rewrite):
    title = "dilated convolution as one operator"

    def applies(self, site: RewriteSite) -> bool:
        layer = site.layer
        dilated = type(layer) is layers.Conv2D and max(layer.dilation_rate) > 1
        return dilated and layer.groups == 1 and layer.data_format == "channels_last"

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        config = site.layer.get_config()
        made = site.make("", lambda name: DilatedConv2D.from_config({**config, "name": name}), named(site.layer))
        return made(inputs)

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        return ordered(site.layer, weights[site.name])
