"""Small layers without weights that rewrites are made of, where Keras has none for one operator of TFLite.

Each computes what an int8 file can: products of heads for attention, and a logarithm of numbers in a small range.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tf_keras import layers


class HeadScores(layers.Layer):
    """Scaled products of queries and keys, both (batch, heads, positions, width): one BATCH_MATMUL and one MUL.

    Args:
        scale: factor of the queries.
        name: of the layer.
    """

    def __init__(self, scale: float, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.scale = scale

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        query, key = inputs
        return tf.matmul(query * self.scale, key, transpose_b=True)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}


class HeadContext(layers.Layer):
    """Products of attention weights (batch, heads, targets, positions) and values (batch, heads, positions, width)."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        weights, values = inputs
        return tf.matmul(weights, values)


class LogOfOnePlus(layers.Layer):
    """`log(1 + x)`: for x between 0 and 1, a result between 0 and 0.69."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.math.log(inputs + 1.0)
