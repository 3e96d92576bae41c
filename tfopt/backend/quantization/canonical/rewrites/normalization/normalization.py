"""Normalization over the last axis, step by step, so that training rounds each step as the file does.

As one layer, the converter alone gives its steps their scales: within a step of the simulated model were 76 % of the
outputs behind one LayerNormalization (TF 2.21).
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.layers import RMSNormalization
from tfopt.backend.quantization.canonical.affine import affine, can_be_affine
from tfopt.backend.quantization.canonical.normalization_layers import (
    InverseRoot,
    LastMean,
    PlusEpsilon,
    SumOfSquares,
    Times,
)
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights
from tfopt.backend.types import Array

_EXTRAS = ("gamma_regularizer", "beta_regularizer", "gamma_constraint", "beta_constraint", "activity_regularizer")


class LayerNormalization(Rewrite):
    title = "normalization computed step by step"

    def applies(self, site: RewriteSite) -> bool:
        layer = site.layer
        return (
            type(layer) is layers.LayerNormalization
            and _is_last_axis(site)
            and layer.scale
            and not any(getattr(layer, name) for name in _EXTRAS)
        )

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        layer = site.layer
        mean = site.make("mean", lambda name: LastMean(name=name))(inputs)
        centered = site.make("centered", lambda name: layers.Subtract(name=name))([inputs, mean])
        normal = _over_root(site, centered, layer.epsilon)
        return affine(site, normal, layer.gamma.numpy(), layer.beta.numpy() if layer.center else None)

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        made = weights[site.name]
        return [made["depthwise_kernel"].reshape(-1), *([made["bias"]] if site.layer.center else [])]


class RootMeanSquare(Rewrite):
    title = "normalization computed step by step"

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) is RMSNormalization and _is_last_axis(site)

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        return affine(site, _over_root(site, inputs, site.layer.epsilon), site.layer.factors().numpy(), None)

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        return [weights[site.name]["depthwise_kernel"].reshape(-1) - site.layer.offset]


def _over_root(site: RewriteSite, values: tf.Tensor, epsilon: float) -> tf.Tensor:
    """Values / sqrt(mean(values^2) + epsilon), over the last axis."""
    total = site.make("squares", lambda name: SumOfSquares(name=name))(values)
    mean = site.make("mean_square", lambda name: Times(1 / values.shape[-1], name=name))(total)
    shifted = site.make("epsilon", lambda name: PlusEpsilon(epsilon, name=name))(mean)
    factor = site.make("factor", lambda name: InverseRoot(name=name))(shifted)
    return site.make("normal", lambda name: layers.Multiply(name=name))([values, factor])


def _is_last_axis(site: RewriteSite) -> bool:
    axis = getattr(site.layer, "axis", [-1])
    axes = list(axis) if isinstance(axis, list | tuple) else [axis]
    return can_be_affine(site) and axes in ([-1], [site.inputs[0].shape.rank - 1]) and len(site.outputs[0].shape) > 1
