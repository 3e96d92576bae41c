"""Batch normalization that cannot be folded into a kernel: its statistics are frozen, scale and shift are trained.

It follows a pooling, a concatenation or an activation, precedes an activation (He et al. 2016, arXiv:1603.05027), or
follows a kernel whose output has other consumers too. tfmot rejects such a layer (`Layer batch_normalization ... is not
supported`), and the model with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.affine import affine, can_be_affine, trained_affine
from tfopt.backend.quantization.canonical.batch_norm import folds_into, scale_and_shift, with_scale_and_shift
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import NamedWeights
from tfopt.backend.types import Array


class StandaloneBatchNormalization(Rewrite):
    title = "BatchNormalization computed as 1x1 DepthwiseConv2D"

    def applies(self, site: RewriteSite) -> bool:
        layer = site.layer
        if type(layer) is not layers.BatchNormalization or not can_be_affine(site):
            return False
        (rank, *others) = site.ranks
        return (
            rank is not None
            and not others
            and list(layer.axis) == [rank - 1]
            and folds_into(site.graph, site.name) is None
        )

    def replace(self, site: RewriteSite, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        return affine(site, inputs, *scale_and_shift(site.layer))

    def restore(self, site: RewriteSite, weights: NamedWeights) -> Sequence[Array]:
        return with_scale_and_shift(site.layer, *trained_affine(site, weights))
