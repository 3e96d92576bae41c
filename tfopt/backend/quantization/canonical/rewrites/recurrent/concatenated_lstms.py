"""A concatenation of results of LSTMs, with a separate scale for each.

Why: see `lstm_scales`. A product with 1, which is a 1x1 DepthwiseConv2D in the file, separates the scales; LeakyReLU
with a slope of 1 does not, since the converter removes it (TF 2.21).
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.compat.keras_graph import call_of
from tfopt.backend.quantization.canonical.affine import can_be_affine
from tfopt.backend.quantization.canonical.lstm_scales import lstm_operands
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite


class ConcatenatedLSTMs(Rewrite):
    title = "results of LSTMs with separate scales"

    def applies(self, site: RewriteSite) -> bool:
        return len(site.nodes) == 1 and can_be_affine(site) and bool(lstm_operands(site.graph, site.name))

    def replace(self, site: RewriteSite, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        from_lstms = lstm_operands(site.graph, site.name)
        operands = [
            site.make(f"scale{number}", lambda name: layers.Rescaling(1.0, name=name))(tensor)
            if call_of(tensor).layer.name in from_lstms
            else tensor
            for number, tensor in enumerate(inputs)
        ]
        return site.make("", lambda name: layers.Concatenate(site.layer.axis, name=name))(operands)
