"""Batch normalization that no kernel before it can take: its statistics stand still, scale and shift are trained on.

After a pooling, a concatenation or an activation, before an activation (He et al. 2016, arXiv:1603.05027), or after a
kernel whose result somebody else sees too. tfmot refuses such a layer (`Layer batch_normalization ... is not
supported`), and with it the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tf_keras import layers

from tfopt.backend.quantization.canonical.fusing import folds_into
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.rewrites.affine import affine, can_be_affine, trained_affine
from tfopt.backend.quantization.canonical.weights import named, ordered


def scale_and_shift(layer: layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """What batch normalization does at inference, per channel."""
    weights = named(layer)
    mean, variance = weights["moving_mean"], weights["moving_variance"]
    scale = weights.get("gamma", np.ones_like(mean)) / np.sqrt(variance + layer.epsilon)
    return scale, weights.get("beta", np.zeros_like(mean)) - mean * scale


def with_scale_and_shift(layer: layers.BatchNormalization, scale: np.ndarray, shift: np.ndarray) -> list[np.ndarray]:
    """Weights with which batch normalization does this at inference.

    The moving statistics stay as they are, and gamma and beta take what was trained. A layer without gamma keeps it in
    the moving variance, one without beta in the moving mean.
    """
    weights = named(layer)
    if "gamma" in weights:
        weights["gamma"] = scale * np.sqrt(weights["moving_variance"] + layer.epsilon)
    else:
        weights["moving_variance"] = np.maximum(1 / np.square(scale) - layer.epsilon, 0)
    if "beta" in weights:
        weights["beta"] = shift + weights["moving_mean"] * scale
    else:
        weights["moving_mean"] = -shift / scale
    return ordered(layer, weights)


class LoneBatchNormalization(Rewrite):
    title = "BatchNormalization computed as 1x1 DepthwiseConv2D"

    def applies(self, site: RewriteSite) -> bool:
        layer = site.layer
        if type(layer) is not layers.BatchNormalization or not can_be_affine(site):
            return False
        (rank, *others) = site.ranks
        return not others and list(layer.axis) == [rank - 1] and folds_into(site.graph, site.name) is None

    def replace(self, site: RewriteSite, inputs: Any, training: bool | None = None) -> Any:
        return affine(site, inputs, *scale_and_shift(site.layer))

    def restore(self, site: RewriteSite, weights: Mapping[str, Mapping[str, np.ndarray]]) -> Sequence[np.ndarray]:
        return with_scale_and_shift(site.layer, *trained_affine(site, weights))
