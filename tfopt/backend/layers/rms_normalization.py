"""Normalization by the root mean square, which Keras 3 has under this name and tf_keras does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf
import tf_keras

from tfopt.backend.types import LayerArguments, Nested, Shape

if TYPE_CHECKING:
    from typing import Unpack


@tf_keras.saving.register_keras_serializable(package="tfopt")
class RMSNormalization(tf_keras.layers.Layer):
    """x / sqrt(mean(x^2) + epsilon) * (offset + scale) over the last axis (Zhang, Sennrich 2019, arXiv:1910.07467).

    Args:
        epsilon: added to the mean square.
        offset: added to the scale: 1 in Gemma, whose scales begin at 0.
    """

    def __init__(self, epsilon: float = 1e-6, offset: float = 0.0, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.offset = offset
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        self.scale = self.add_weight(
            name="scale", shape=(input_shape[-1],), initializer=tf_keras.initializers.Constant(1.0 - self.offset)
        )
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        mean_square = tf.reduce_mean(tf.square(inputs), axis=-1, keepdims=True)
        return inputs * tf.math.rsqrt(mean_square + self.epsilon) * self.factors()

    def factors(self) -> tf.Tensor:
        """What each number is multiplied by after the normalization, (width,)."""
        return self.scale + self.offset if self.offset else tf.convert_to_tensor(self.scale)

    def get_config(self) -> dict[str, Nested]:
        offset = {"offset": self.offset} if self.offset else {}
        return {**super().get_config(), "epsilon": self.epsilon, **offset}
