"""ELU and softplus, computed by exponentials of values that are not positive.

TFLite has no integer kernel for ELU. Softplus becomes `log(1 + exp(x))`, whose exponential has a range in which 256
levels leave nothing of small values: for x up to 10, all of softplus below 4 is rounded to 0. With `exp(min(x, 0))` and
`exp(-|x|)`, both between 0 and 1, the results are the same and every step has a fine scale. Both come from
`x - relu(x)`: TFLite has no integer kernel for NEG, and its MINIMUM is wrong (see `min_max`).
"""

from __future__ import annotations

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.graph.connections import function_name
from tfopt.backend.quantization.canonical.custom_layers import LogOfOnePlus
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite


class Elu(Rewrite):
    title = "computed by ReLU and an exponential"

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) is layers.ELU or _is_activation(site, "elu")

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        alpha = float(getattr(site.layer, "alpha", 1.0))
        above = site.make("above", lambda name: layers.ReLU(name=name))(inputs)
        below = site.make("below", lambda name: layers.Subtract(name=name))([inputs, above])
        power = site.make("power", lambda name: layers.Activation("exponential", name=name))(below)
        shifted = site.make("shifted", lambda name: layers.Rescaling(alpha, -alpha, name=name))(power)
        return site.make("", lambda name: layers.Add(name=name))([above, shifted])


class Softplus(Rewrite):
    title = "computed by ReLU, an exponential and a logarithm"

    def applies(self, site: RewriteSite) -> bool:
        return _is_activation(site, "softplus")

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        above = site.make("above", lambda name: layers.ReLU(name=name))(inputs)
        below = site.make("below", lambda name: layers.Subtract(name=name))([inputs, above])
        distance = site.make("distance", lambda name: layers.Subtract(name=name))([below, above])
        power = site.make("power", lambda name: layers.Activation("exponential", name=name))(distance)
        rest = site.make("rest", lambda name: LogOfOnePlus(name=name))(power)
        return site.make("", lambda name: layers.Add(name=name))([above, rest])


def _is_activation(site: RewriteSite, function: str) -> bool:
    return type(site.layer) is layers.Activation and function_name(site.layer) == function
