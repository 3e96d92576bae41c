"""One table that is the embedding of a language model and its last layer, too (Press, Wolf 2017, arXiv:1608.05859).

Two layers in the graph, each called once: the embedding hands its table, a tensor, to the last layer. So each part of
tfopt sees two layers of one name each, and the weight once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf
import tf_keras

from tfopt.backend.compat.tfmot_clustering import ClusterableLayer
from tfopt.backend.types import LayerArguments, Nested, Shape

if TYPE_CHECKING:
    from typing import Unpack

_register = tf_keras.saving.register_keras_serializable(package="tfopt")


@_register
class TiedEmbedding(tf_keras.layers.Layer, ClusterableLayer):
    """Token ids (batch, positions) to their rows (batch, positions, output_dim), and the table (input_dim, output_dim).

    Args:
        input_dim: number of tokens.
        output_dim: width of a row.
    """

    def __init__(self, input_dim: int, output_dim: int, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.input_dim = input_dim
        self.output_dim = output_dim

    def build(self, input_shape: Shape) -> None:
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=tf_keras.initializers.RandomNormal(0, 0.02),
        )
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> list[tf.Tensor]:
        indices = inputs if inputs.dtype.is_integer else tf.cast(inputs, tf.int32)
        return [tf.gather(self.embeddings, indices), tf.identity(self.embeddings)]

    def get_prunable_weights(self) -> list[tf.Variable]:
        return [self.embeddings]

    def get_clusterable_weights(self) -> list[tuple[str, tf.Variable]]:
        return [("embeddings", self.embeddings)]

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "input_dim": self.input_dim, "output_dim": self.output_dim}


@_register
class TiedLogits(tf_keras.layers.Layer):
    """[vectors (batch, positions, width), table (tokens, width)] to the product of each vector with every row."""

    def call(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        vectors, table = inputs
        return tf.matmul(vectors, table, transpose_b=True)
