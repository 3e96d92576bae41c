"""Dense on sequences and images as 1x1 Conv2D: one operator, with one scale per output channel.

As Dense it is RESHAPE, FULLY_CONNECTED and ADD in float (TF 2.21, without calibration data).
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.expand_to_4d import expand_to_4d
from tfopt.backend.quantization.canonical.kernel_arguments import is_constrained, kept_arguments
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights, named, ordered
from tfopt.backend.types import Array


class Dense(Rewrite):
    title = "Dense computed as 1x1 Conv2D"

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) is layers.Dense and site.ranks <= {3, 4} and not is_constrained(site.layer)

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        layer, weights = site.layer, named(site.layer)
        conv = site.make(
            "",
            lambda name: layers.Conv2D(layer.units, 1, **kept_arguments(layer), name=name),
            {**weights, "kernel": weights["kernel"][None, None]},
        )
        return expand_to_4d(site, inputs, conv)

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        made = weights[site.name]
        return ordered(site.layer, {**made, "kernel": made["kernel"][0, 0]})
