"""Merges of more than two tensors, in pairs.

TFLite's ADD and MUL have two operands: a sum of three becomes ADD_N or two ADDs of which only the last has a range
from training, and both stay float (TF 2.21, without calibration data).
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite


class BinaryMerges(Rewrite):
    title = "computed in pairs"

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) in (layers.Add, layers.Multiply, layers.Maximum, layers.Minimum) and all(
            len(node.keras_inputs) > 2 for node in site.nodes
        )

    def replace(self, site: RewriteSite, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        kind = type(site.layer)
        result, *rest = inputs
        for number, other in enumerate(rest, 1):
            last = number == len(rest)
            result = site.make("" if last else f"pair{number}", lambda name: kind(name=name))([result, other])
        return result
