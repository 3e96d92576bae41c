"""The masked softmax of Keras 3: rows that are masked from end to end get no weight at all; in tf_keras, an even one.

Keras 3 has it in `Softmax`, and in `MultiHeadAttention` with dropout or where the scores are asked for. Without,
attention takes a different path, which is even there, as tf_keras is (keras 3.15).
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import tensorflow as tf
import tf_keras

from tfopt.backend.compat.tfmot_clustering import ClusterableLayer
from tfopt.backend.types import Config

_register = tf_keras.saving.register_keras_serializable(package="tfopt")

_PROJECTIONS = ("query", "key", "value", "output")


@_register
class ZeroingSoftmax(tf_keras.layers.Softmax):
    """`Softmax` whose result is 0 where the mask is; its type is shown as `Softmax`."""

    own_type = "Softmax"

    def call(self, inputs: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        if mask is None:
            return super().call(inputs)
        # Of integers, tf_keras takes bool masks only.
        kept = mask if mask.dtype == tf.bool else mask > tf.cast(0.5, mask.dtype)
        weights = super().call(inputs, kept)
        return tf.where(kept, weights, tf.zeros((), weights.dtype))


@_register
class ZeroingMultiHeadAttention(tf_keras.layers.MultiHeadAttention, ClusterableLayer):
    """`MultiHeadAttention` with that softmax; its type is shown as `MultiHeadAttention`.

    tfmot knows the class of tf_keras only, so the kernels that it prunes and clusters are listed here.
    """

    own_type = "MultiHeadAttention"
    _softmax: tf_keras.layers.Softmax

    def get_prunable_weights(self) -> list[tf.Variable]:
        return [variable for _, variable in self.get_clusterable_weights()]

    def get_clusterable_weights(self) -> list[tuple[str, tf.Variable]]:
        return [(f"_{part}_dense.kernel", getattr(self, f"_{part}_dense").kernel) for part in _PROJECTIONS]

    def _masked_softmax(self, attention_scores: tf.Tensor, attention_mask: tf.Tensor | None = None) -> tf.Tensor:
        # Without the mask that Softmax passes along behind its result, which Keras 3 does not.
        return tf.identity(super()._masked_softmax(attention_scores, attention_mask))

    def _build_attention(self, rank: int) -> None:
        super()._build_attention(rank)
        self._softmax = ZeroingSoftmax(self._softmax.axis, robust_masking=True, dtype=self._dtype_policy)


ZEROING: Mapping[str, type[tf_keras.layers.Layer]] = {
    "MultiHeadAttention": ZeroingMultiHeadAttention,
    "Softmax": ZeroingSoftmax,
}
"""By the name of a layer of Keras, the class with its masked softmax of Keras 3."""


def zeroes_padding(layer: keras.layers.Layer, kwargs: Config) -> bool:
    """Whether a call of a layer uses that softmax, if it gets a mask."""
    if isinstance(layer, keras.layers.MultiHeadAttention):
        return layer.dropout > 0 or bool(kwargs.get("return_attention_scores"))
    return isinstance(layer, keras.layers.Softmax)
