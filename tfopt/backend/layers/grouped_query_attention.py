"""Causal attention whose query heads share key and value heads, with rotary positions; tf_keras has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.compat.tfmot_clustering import ClusterableLayer
from tfopt.backend.layers.rotary import rotary_tables, rotated
from tfopt.backend.types import LayerArguments, Nested, Shape

if TYPE_CHECKING:
    from typing import Unpack

_PROJECTIONS = ("query", "key", "value", "attention_output")
_BLOCKED = -1e9


@tf_keras.saving.register_keras_serializable(package="tfopt")
class GroupedQueryAttention(layers.Layer, ClusterableLayer):
    """Self-attention in which no position sees later ones (Ainslie et al. 2023, arXiv:2305.13245).

    Query head h uses the key and value head h // (num_heads / key_value_heads). The four projections are the Dense
    layers `query`, `key`, `value` and `attention_output`; heads lie one after the other in their outputs.

    Args:
        num_heads: of the queries.
        key_value_heads: divides `num_heads`; equal to it, this is multi-head attention.
        head_size: width of a head; even with `rotary`.
        rotary: queries and keys are turned by their positions (see `rotary`).
        dropout: share of attention weights dropped in training.
        use_bias: of the projections.
        rotary_base: of the wavelengths.
        kernel_initializer: of the projections.
    """

    def __init__(
        self,
        num_heads: int,
        key_value_heads: int,
        head_size: int,
        rotary: bool = False,
        dropout: float = 0.0,
        use_bias: bool = True,
        rotary_base: float = 10_000.0,
        kernel_initializer: Nested = "glorot_uniform",
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        if num_heads % key_value_heads:
            raise ValueError(f"key_value_heads must divide num_heads. Got {key_value_heads} and {num_heads}.")
        if rotary and head_size % 2:
            raise ValueError(f"head_size must be even with rotary positions. Got {head_size}.")
        self.num_heads = num_heads
        self.key_value_heads = key_value_heads
        self.head_size = head_size
        self.rotary = rotary
        self.dropout = dropout
        self.use_bias = use_bias
        self.rotary_base = rotary_base
        self.kernel_initializer = tf_keras.initializers.get(kernel_initializer)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        width = input_shape[-1]
        own, shared = self.num_heads * self.head_size, self.key_value_heads * self.head_size
        for name, units, inputs in zip(_PROJECTIONS, (own, shared, shared, width), (*[width] * 3, own), strict=True):
            dense = layers.Dense(
                units,
                use_bias=self.use_bias,
                # Of a copy, so that the projections of one seed do not begin with the same values.
                kernel_initializer=type(self.kernel_initializer).from_config(self.kernel_initializer.get_config()),
                name=name,
                dtype=self._dtype_policy,
            )
            with tf.name_scope(name):
                dense.build((None, None, inputs))
            setattr(self, name, dense)
        self.dropout_layer = layers.Dropout(self.dropout, name="dropout")
        super().build(input_shape)

    def call(
        self, inputs: tf.Tensor, training: bool | None = None, return_attention_scores: bool = False
    ) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        steps = inputs.shape[1]
        if steps is None:
            raise ValueError(f"{self.name} needs a fixed number of positions. Got {inputs.shape}.")
        query = self._heads(self.query(inputs), self.num_heads, steps)
        key = self._heads(self.key(inputs), self.key_value_heads, steps)
        value = self._heads(self.value(inputs), self.key_value_heads, steps)
        if self.rotary:
            cosines, sines = (tf.cast(t, query.dtype) for t in rotary_tables(steps, self.head_size, self.rotary_base))
            query, key = rotated(query, cosines, sines), rotated(key, cosines, sines)
        # The heads that share a key are rows of one product: (batch, key_value_heads, rows, head_size).
        rows = self.num_heads // self.key_value_heads * steps
        grouped = tf.reshape(query * self.head_size**-0.5, (-1, self.key_value_heads, rows, self.head_size))
        scores = tf.reshape(tf.matmul(grouped, key, transpose_b=True), (-1, self.num_heads, steps, steps))
        scores = tf.where(np.tri(steps, dtype=bool), scores, tf.constant(_BLOCKED, scores.dtype))
        attention = tf.nn.softmax(scores)
        weights = self.dropout_layer(attention, training=training)
        grouped = tf.reshape(weights, (-1, self.key_value_heads, rows, steps))
        context = tf.reshape(tf.matmul(grouped, value), (-1, self.num_heads, steps, self.head_size))
        joined = tf.reshape(tf.transpose(context, (0, 2, 1, 3)), (-1, steps, self.num_heads * self.head_size))
        outputs = self.attention_output(joined)
        return (outputs, attention) if return_attention_scores else outputs

    def get_prunable_weights(self) -> list[tf.Variable]:
        return [kernel for _, kernel in self.get_clusterable_weights()]

    def get_clusterable_weights(self) -> list[tuple[str, tf.Variable]]:
        return [(f"{name}.kernel", getattr(self, name).kernel) for name in _PROJECTIONS]

    def get_config(self) -> dict[str, Nested]:
        keys = ("num_heads", "key_value_heads", "head_size", "rotary", "dropout", "use_bias", "rotary_base")
        initializer = tf_keras.initializers.serialize(self.kernel_initializer)
        return {
            **super().get_config(),
            **{key: getattr(self, key) for key in keys},
            "kernel_initializer": initializer,
        }

    def _heads(self, projected: tf.Tensor, count: int, steps: int) -> tf.Tensor:
        """(batch, positions, count * head_size) as (batch, count, positions, head_size)."""
        return tf.transpose(tf.reshape(projected, (-1, steps, count, self.head_size)), (0, 2, 1, 3))
