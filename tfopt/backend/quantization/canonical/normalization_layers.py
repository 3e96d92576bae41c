"""The layers of the canonical form for normalization over the last axis, each with a scale of its own.

The sum of squares is one product of matrices, which integer kernels sum up in 32 bits: a square in 8 bits is 0 for
every value below a sixteenth of the largest one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.types import LayerArguments, Nested, Shape

if TYPE_CHECKING:
    from typing import Unpack


class LastMean(layers.Layer):
    """Mean over the last axis, which stays with size 1."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(inputs, axis=-1, keepdims=True)


class SumOfSquares(layers.Layer):
    """Sum of squares over the last axis, which stays with size 1."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        rows = tf.expand_dims(inputs, -2)
        return tf.squeeze(tf.matmul(rows, rows, transpose_b=True), -2)


class Times(layers.Layer):
    """Values times one number.

    Args:
        factor: the number.
    """

    def __init__(self, factor: float, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs * self.factor

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "factor": self.factor}


class PlusEpsilon(layers.Layer):
    """Values, none of them negative, plus a small number: the root of the result is divided by.

    Args:
        term: the number.
    """

    def __init__(self, term: float, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.term = term

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs + self.term

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "term": self.term}


class InverseRoot(layers.Layer):
    """1 over the square root."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.math.rsqrt(inputs)
