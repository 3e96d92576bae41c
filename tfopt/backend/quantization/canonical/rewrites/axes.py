"""Layers that add and drop axes of size 1: how layers for sequences use those for images.

Unlike Reshape, they leave a batch of any size open without computing shapes in the file.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras


class InsertAxes(tf_keras.layers.Layer):
    """Adds axes of size 1 behind the batch.

    Args:
        count: how many.
    """

    def __init__(self, count: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        for _ in range(self.count):
            inputs = tf.expand_dims(inputs, 1)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        batch, *rest = input_shape
        return tf.TensorShape([batch, *[1] * self.count, *rest])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "count": self.count}


class RemoveAxes(tf_keras.layers.Layer):
    """Drops axes of size 1 behind the batch.

    Args:
        count: how many.
    """

    def __init__(self, count: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.squeeze(inputs, list(range(1, 1 + self.count)))

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        batch, *rest = input_shape
        return tf.TensorShape([batch, *rest[self.count :]])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "count": self.count}
