"""The layers of the canonical form that Keras does not have; each becomes operators with an integer kernel in TFLite.

How each of them is rounded: `tfopt.backend.quantization.registry`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.types import LayerArguments, Nested, Shape

if TYPE_CHECKING:
    from typing import Unpack

Part: TypeAlias = int | tuple[int | None, int | None, int | None]
"""An index, whose axis is dropped, or start, stop and step."""


class InsertAxes(layers.Layer):
    """Adds axes of size 1 behind the batch.

    Args:
        count: how many.
    """

    def __init__(self, count: int = 1, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.count = count

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        for _ in range(self.count):
            inputs = tf.expand_dims(inputs, 1)
        return inputs

    def compute_output_shape(self, input_shape: Shape) -> tf.TensorShape:
        batch, *rest = input_shape
        return tf.TensorShape([batch, *[1] * self.count, *rest])

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "count": self.count}


class RemoveAxes(layers.Layer):
    """Drops axes of size 1 behind the batch.

    Args:
        count: how many.
    """

    def __init__(self, count: int = 1, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.count = count

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.squeeze(inputs, list(range(1, 1 + self.count)))

    def compute_output_shape(self, input_shape: Shape) -> tf.TensorShape:
        batch, *rest = input_shape
        return tf.TensorShape([batch, *rest[self.count :]])

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "count": self.count}


class Slice(layers.Layer):
    """Picks a part of each example.

    Args:
        parts: per axis after the batch an index, whose axis is dropped, or start, stop and step.
    """

    def __init__(self, parts: Sequence[Part], **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.parts: tuple[Part, ...] = tuple(
            part if isinstance(part, int) else (part[0], part[1], part[2]) for part in parts
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs[(slice(None), *(part if isinstance(part, int) else slice(*part) for part in self.parts))]

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "parts": self.parts}


class HeadScores(layers.Layer):
    """Scaled products of queries and keys, both (batch, heads, positions, width): one BATCH_MATMUL and one MUL.

    Args:
        scale: factor of the queries.
    """

    def __init__(self, scale: float, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        query, key = inputs
        return tf.matmul(query if self.scale == 1 else query * self.scale, key, transpose_b=True)

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "scale": self.scale}


class HeadContext(layers.Layer):
    """Products of attention weights (batch, heads, targets, positions) and values (batch, heads, positions, width)."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        weights, values = inputs
        return tf.matmul(weights, values)


class RepeatHeads(layers.Layer):
    """Keys or values (batch, heads, positions, width) with each head several times, for the queries that share it.

    Args:
        count: how often.
    """

    def __init__(self, count: int, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.count = count

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        heads = [head for head in range(inputs.shape[1]) for _ in range(self.count)]
        return tf.gather(inputs, heads, axis=1)

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "count": self.count}


class SwappedHalves(layers.Layer):
    """Values whose last axis begins with its second half and ends with its first."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        first, second = tf.split(inputs, 2, axis=-1)
        return tf.concat([second, first], axis=-1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


class TimesTable(layers.Layer):
    """Values times numbers that are not trained; the axes of these are the last ones of the values.

    Args:
        shape: of the numbers, which are a weight of the layer: it is rounded as one.
    """

    def __init__(self, shape: Sequence[int], **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.shape = [int(size) for size in shape]

    def build(self, input_shape: Shape) -> None:
        self.factors = self.add_weight(name="factors", shape=self.shape, initializer="ones", trainable=False)
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs * self.factors

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "shape": self.shape}


class LogOfOnePlus(layers.Layer):
    """`log(1 + x)`: for x between 0 and 1, a result between 0 and 0.69."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.math.log(inputs + 1.0)


class DilatedConv2D(layers.Conv2D):
    """Conv2D that is one operator at inference, whatever its dilation.

    Keras computes a dilated convolution as SPACE_TO_BATCH_ND, CONV_2D and BATCH_TO_SPACE_ND, of which all but the first
    stay float in the file (TF 2.21, without calibration data). TensorFlow's direct operator has no gradient on CPUs, so
    training computes it as Keras does. Without groups: the direct operator has none on CPUs either.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if training is not False:
            return super().call(inputs)
        outputs = tf.nn.conv2d(inputs, self.kernel, self.strides, self.padding.upper(), dilations=self.dilation_rate)
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)
