"""Maximum and Minimum as sums with a ReLU: `min(a, b) = a - relu(a - b)`, `max(a, b) = a + relu(b - a)`.

TFLite's int8 MINIMUM and MAXIMUM have one scale for operands and output. After quantization-aware training the
converter sets the first operand's on all: the negative values of the second saturate where the first is the output of a
ReLU (accuracy 0.84 in Keras, 0.53 in the file).
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite


class MinMax(Rewrite):
    title = "computed by ReLU of the difference"

    def applies(self, site: RewriteSite) -> bool:
        return type(site.layer) in (layers.Maximum, layers.Minimum) and all(
            len(node.keras_inputs) == 2 and _same_shapes(node.keras_inputs) for node in site.nodes
        )

    def replace(self, site: RewriteSite, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        one, other = inputs
        is_minimum = type(site.layer) is layers.Minimum
        difference = site.make("difference", lambda name: layers.Subtract(name=name))
        excess = site.make("excess", lambda name: layers.ReLU(name=name))
        join = site.make("", lambda name: (layers.Subtract if is_minimum else layers.Add)(name=name))
        return join([one, excess(difference([one, other] if is_minimum else [other, one]))])


def _same_shapes(tensors: Sequence[tf.Tensor]) -> bool:
    return len({tuple(tensor.shape) for tensor in tensors}) == 1
