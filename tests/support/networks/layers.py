"""Layers and functions of a user, as an importable module has them."""

from __future__ import annotations

import tensorflow as tf
import tf_keras


def twice(x: tf.Tensor) -> tf.Tensor:
    return 2 * x


class Scale(tf_keras.layers.Layer):
    """Multiplies by a learned matrix."""

    def __init__(self, units: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: tf.TensorShape) -> None:
        self.table = self.add_weight("table", (input_shape[-1], self.units))
        self.offset = self.add_weight("offset", (self.units,), initializer="zeros")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs @ self.table + self.offset

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "units": self.units}


class Small(tf_keras.regularizers.Regularizer):
    """Keeps weights small."""

    def __call__(self, weights: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(tf.abs(weights))

    def get_config(self) -> dict[str, object]:
        return {}
