"""How values are rounded: activations by their range, and weights of each kind of kernel.

All are tfmot quantizers. Activation quantizers can also be switched to `observing`, in which they record the range of
their inputs instead of rounding them; see `tfopt.backend.quantization.calibration`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import tensorflow as tf
from tensorflow_model_optimization.quantization.keras.quantizers import (
    AllValuesQuantizer,
    LastValueQuantizer,
    MovingAverageQuantizer,
    Quantizer,
)
from tf_keras import layers

from tfopt.backend.devices import replicas
from tfopt.backend.types import Config, Nested

Ranges: TypeAlias = Mapping[str, tf.Variable]
"""The variables that a quantizer made in `build`: `min_var` and `max_var`, plus those of a constrained quantizer."""

LARGEST_INTEGER = 127.0
"""Of a rounded weight: TFLite's kernels take -127..127."""
_NEW = 1 - 0.999
"""Share of a batch in a moving average of ranges: tfmot's."""
STEPS = 255
"""Between the smallest and the largest value of 8 bits."""


class Observing:
    """Mixin for activation quantizers: while `observing`, the range grows to cover the inputs; nothing is rounded.

    On several replicas, tfmot averages the smallest values of the replicas (or, for all values ever seen, lets each
    replica keep its own): the more devices, the narrower the range. Here it is that of the whole batch.
    """

    observing = False

    def __call__(self, inputs: tf.Tensor, training: bool, weights: Ranges, **kwargs: Nested) -> tf.Tensor:
        if not self.observing:
            if training and replicas.inside():
                low, high = replicas.extremes(inputs)
                # TFLite must be able to represent zero exactly, as tfmot has it.
                self.follow(weights, tf.minimum(low, 0.0), tf.maximum(high, 0.0))
                training = False  # rounds with the range as it is
            return super().__call__(inputs, training, weights, **kwargs)  # type: ignore[misc]  # tfmot's quantizer
        weights["min_var"].assign(tf.minimum(weights["min_var"], tf.reduce_min(inputs)))
        weights["max_var"].assign(tf.maximum(weights["max_var"], tf.reduce_max(inputs)))
        return inputs

    def follow(self, weights: Ranges, low: tf.Tensor, high: tf.Tensor) -> None:
        """Changes the range by that of a batch, as the quantizer does in training."""
        raise NotImplementedError


class ActivationQuantizer(Observing, MovingAverageQuantizer):
    """tfmot's moving average of activation ranges, able to start from observed ranges.

    tfmot starts all ranges at -6..6 with a decay of 0.999: after 44 steps the output of a ReLU still reaches down to
    -5.74, and the accuracy of an untrained model falls from 0.927 to 0.098.
    """

    def __init__(self) -> None:
        super().__init__(num_bits=8, per_axis=False, symmetric=False, narrow_range=False)

    def follow(self, weights: Ranges, low: tf.Tensor, high: tf.Tensor) -> None:
        for name, value in (("min_var", low), ("max_var", high)):
            weights[name].assign_sub((weights[name] - value) * _NEW)

    def get_config(self) -> Config:
        return {}


class DivisorQuantizer(ActivationQuantizer):
    """Rounds values that are divided by: in training, none of them to 0, which would end it with NaN.

    The kernels of TFLite give the largest number for 1/sqrt(0), and so does the rounding of what comes out.
    """

    def __call__(self, inputs: tf.Tensor, training: bool, weights: Ranges, **kwargs: Nested) -> tf.Tensor:
        rounded = super().__call__(inputs, training, weights, **kwargs)
        if self.observing or not training:
            return rounded
        return tf.maximum(rounded, (weights["max_var"] - weights["min_var"]) / STEPS)


class FixedQuantizer(Quantizer):
    """Rounds to a range that every TFLite file has at some operator, such as 0 to 255/256 after softmax.

    Args:
        low: the smallest value of 8 bits.
        high: the largest.
    """

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def build(self, tensor_shape: tf.TensorShape, name: str, layer: layers.Layer) -> Ranges:
        return {}

    def __call__(self, inputs: tf.Tensor, training: bool, weights: Ranges, **kwargs: Nested) -> tf.Tensor:
        return tf.quantization.fake_quant_with_min_max_args(inputs, self.low, self.high)

    def get_config(self) -> Config:
        return {"low": self.low, "high": self.high}


class InputQuantizer(Observing, AllValuesQuantizer):
    """tfmot's range of all values ever seen: for inputs of the model, and for rows of a table, where a moving average
    would clip those of rare tokens.

    The file rounds a table itself, with the scale of the rows that are taken. Without one, the converter takes the
    range of its calibration, which is that of a sum where the rows are added to others in the same memory (TF 2.21).
    """

    def __init__(self) -> None:
        super().__init__(num_bits=8, per_axis=False, symmetric=False, narrow_range=False)

    def follow(self, weights: Ranges, low: tf.Tensor, high: tf.Tensor) -> None:
        weights["min_var"].assign(tf.minimum(weights["min_var"], low))
        weights["max_var"].assign(tf.maximum(weights["max_var"], high))

    def get_config(self) -> Config:
        return {}


class TensorQuantizer(LastValueQuantizer):
    """One scale for a whole weight, by tfmot's operator."""

    def __init__(self) -> None:
        super().__init__(num_bits=8, per_axis=False, symmetric=True, narrow_range=True)


class WeightQuantizer(Quantizer):
    """Rounds a weight to what the int8 file holds, by plain operators that the converter computes once.

    tfmot's quantizers put a fake-quantization operator into the graph instead, whose result the converter rounds a
    second time with the range that it finds itself.
    """

    def build(self, tensor_shape: tf.TensorShape, name: str, layer: layers.Layer) -> Ranges:
        return {}

    def __call__(self, inputs: tf.Tensor, training: bool, weights: Ranges, **kwargs: Nested) -> tf.Tensor:
        rounded = self.rounded(inputs)
        # The gradient of the rounding is 1 (the straight-through estimator).
        return inputs + tf.stop_gradient(rounded - inputs) if training else rounded

    def rounded(self, values: tf.Tensor) -> tf.Tensor:
        """The weight as in the file."""
        raise NotImplementedError

    def get_config(self) -> Config:
        return {}


class Unrounded(WeightQuantizer):
    """Leaves a weight as it is: each layer that reads it rounds it in its own way."""

    def rounded(self, values: tf.Tensor) -> tf.Tensor:
        return values


class ConstantQuantizer(WeightQuantizer):
    """Rounds a weight that is no kernel, such as the table of an Embedding or the operand of an addition.

    The converter gives it one scale, and a range from its lowest to its highest value, in which zero is.
    """

    def rounded(self, values: tf.Tensor) -> tf.Tensor:
        low, high = tf.minimum(tf.reduce_min(values), 0.0), tf.maximum(tf.reduce_max(values), 0.0)
        scale = tf.where(high > low, high - low, tf.ones_like(high)) / STEPS
        zero = tf.round(-low / scale)
        return (tf.clip_by_value(tf.round(values / scale) + zero, 0.0, STEPS) - zero) * scale


class KernelQuantizer(WeightQuantizer):
    """Rounds a kernel to -127..127 times a scale per output channel: to what the int8 file holds.

    It adds no fake-quantization operator to the graph, as tfmot's quantizers do. The converter computes these plain
    operators once, multiplies each channel by the factor of a batch normalization that it folds in, and rounds the
    result per channel: since the scale of a channel grows by the same factor, it finds the same integers again. With
    tfmot's operator it refuses a scale per unit of a Dense layer (`'tfl.transpose' op has mismatched quantized axes`),
    and a Dense layer with batch normalization is rounded coarsely in training and a second time in the file.

    Args:
        channel_axes: the axes of the kernel that have scales of their own. (3,) for Conv2D (height, width, in, out);
            (2, 3) for DepthwiseConv2D, whose channels are both (tfmot takes the last one, which is 1 nearly always).
    """

    def __init__(self, *channel_axes: int) -> None:
        self.channel_axes = channel_axes

    def rounded(self, values: tf.Tensor) -> tf.Tensor:
        shared = [axis for axis in range(len(values.shape)) if axis not in self.channel_axes]
        largest = tf.reduce_max(tf.abs(values), axis=shared, keepdims=True)
        scale = tf.where(largest > 0, largest, tf.ones_like(largest)) / LARGEST_INTEGER
        return tf.round(values / scale) * scale

    def get_config(self) -> Config:
        return {"channel_axes": self.channel_axes}


class SparsityPreserving(Quantizer):
    """Keeps the zeros of a kernel at zero during training, and rounds with a different quantizer.

    The zeros are those at the time the wrapper is built. tfmot has this for Conv2D and Dense; it omits
    DepthwiseConv2D and rejects Conv2DTranspose (`Layer conv2d_transpose ... is not supported`), whose kernel
    falls from a sparsity of 0.75 to 0.06 under the plain quantizer.

    Args:
        quantizer: how the remaining weights are rounded.
    """

    def __init__(self, quantizer: Quantizer) -> None:
        self.quantizer = quantizer

    def build(self, tensor_shape: tf.TensorShape, name: str, layer: layers.Layer) -> Ranges:
        weight = getattr(layer.layer, name)
        mask = tf.cast(tf.not_equal(weight, 0.0), weight.dtype)
        return {"sparsity_mask": mask, **self.quantizer.build(tensor_shape, name, layer)}

    def __call__(self, inputs: tf.Tensor, training: bool, weights: Ranges, **kwargs: Nested) -> tf.Tensor:
        return self.quantizer(inputs * weights["sparsity_mask"], training, weights, **kwargs)

    def get_config(self) -> Config:
        return {"quantizer": type(self.quantizer).__name__}
