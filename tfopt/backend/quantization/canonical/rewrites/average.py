"""Average as a sum and a scale: TFLite has no operator for it, and its sum would stay float."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite


class Average(Rewrite):
    title = "computed as sum and scale"

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) is layers.Average and len({len(node.keras_inputs) for node in site.nodes}) == 1

    def replace(self, site: RewriteSite, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        total = site.make("sum", lambda name: layers.Add(name=name))(inputs)
        return site.make("", lambda name: layers.Rescaling(1 / len(inputs), name=name))(total)
