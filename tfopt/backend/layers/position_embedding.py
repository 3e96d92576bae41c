"""A learned vector for each position of a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf
import tf_keras

from tfopt.backend.types import LayerArguments, Nested, Shape

if TYPE_CHECKING:
    from typing import Unpack


@tf_keras.saving.register_keras_serializable(package="tfopt")
class PositionEmbedding(tf_keras.layers.Layer):
    """Adds to each vector (batch, positions, width) that of its position.

    Args:
        length: positions that there are vectors for; sequences may be shorter.
    """

    def __init__(self, length: int, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.length = length
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.length, input_shape[-1]),
            initializer=tf_keras.initializers.RandomNormal(0, 0.02),
        )
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        positions = inputs.shape[1]
        if positions == self.length:
            return inputs + self.embeddings
        return inputs + self.embeddings[: tf.shape(inputs)[1] if positions is None else positions]

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "length": self.length}
