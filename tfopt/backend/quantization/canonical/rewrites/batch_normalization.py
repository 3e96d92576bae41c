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

from tfopt.backend.quantization.canonical.affine import affine, can_be_affine, trained_affine
from tfopt.backend.quantization.canonical.batch_norm import folds_into, scale_and_shift, with_scale_and_shift
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite


class StandaloneBatchNormalization(Rewrite):
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
