"""The LayerScale of ConvNeXt (Touvron et al. 2021, arXiv:2103.17239): a scale per channel that is trained.

tf_keras has no such layer, so it runs in Keras 3; without this rewrite, only the converter would round it.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from tfopt.backend.quantization.canonical.affine import affine, can_be_affine
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights
from tfopt.backend.types import Array


class LayerScale(Rewrite):
    title = "computed as 1x1 DepthwiseConv2D"

    def applies(self, site: RewriteSite) -> bool:
        hosted = type(getattr(site.layer, "wrapped", None))
        known = (hosted.__name__, hosted.__module__.split(".")[0]) == ("LayerScale", "keras")
        return known and can_be_affine(site) and len(site.layer.weights) == 1

    def replace(self, site: RewriteSite, inputs: tf.Tensor) -> tf.Tensor:
        return affine(site, inputs, site.layer.weights[0].numpy(), None)

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        return [weights[site.name]["depthwise_kernel"].reshape(-1)]
