"""Rounding as operators of TFLite do that average, with one scale on both sides: AVERAGE_POOL_2D, RESIZE_BILINEAR."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
from tensorflow_model_optimization.quantization.keras.quantizers import Quantizer
from tf_keras import layers

from tfopt.backend.quantization.in_file import in_file
from tfopt.backend.quantization.quantizers import STEPS, Ranges
from tfopt.backend.types import Config, Nested

_LOWEST = 128
"""Integers of 8 bits begin at minus this."""
_TIE = 1e-3
"""How far below a half a rounded average counts as a half: sums of floats miss it by 1e-4."""


class SameRangeQuantizer(Quantizer):
    """Rounds averages to the integers of the layer's input: halves away from 0, as TFLite's kernel does.

    A range of its own would make the file requantize the input to it, which clips what is averaged (two
    AveragePooling2D: 82 to 86 % of the outputs within a quantum); without rounding, only the file rounds (91 to 93 %);
    where halves are rounded up, as by TensorFlow's operator, a quarter of the averages of 2x2 values is a step off in
    the lower half of the range (77 to 83 %). As here: 99.6 %. Of two UpSampling2D that interpolate: 89 to 95 %, where
    the kernels of LiteRT agree in 89 to 95 %, and 84 to 86 % with ranges of their own.

    Attributes:
        input_range: the range, once the model is connected; None where it is not known, and nothing is rounded.
        observing: while ranges are found, nothing is rounded.
    """

    def __init__(self) -> None:
        self.input_range: Callable[[], Ranges | None] = lambda: None
        self.observing = False

    def build(self, tensor_shape: tf.TensorShape, name: str, layer: layers.Layer) -> Ranges:
        return {}

    def __call__(self, inputs: tf.Tensor, training: bool, weights: Ranges, **kwargs: Nested) -> tf.Tensor:
        found = self.input_range()
        if found is None or self.observing or in_file():
            return inputs
        # The gradient of the rounding is 1 (the straight-through estimator).
        return inputs + tf.stop_gradient(_as_kernel(inputs, found["min_var"], found["max_var"]) - inputs)

    def get_config(self) -> Config:
        return {}


def _as_kernel(averages: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
    scale = (high - low) / STEPS
    zero = tf.round(-low / scale) - _LOWEST
    integers = averages / scale + zero
    rounded = tf.sign(integers) * tf.floor(tf.abs(integers) + 0.5 + _TIE)
    return (rounded - zero) * scale
