"""Batch normalization with the mean and variance of the whole batch, whatever the number of replicas.

tf_keras' own way (`synchronized=True`) has to be chosen when a layer is made, and computes the variance as a difference
of two large numbers; here it is the mean of squared distances, as on one device.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import get_ident

import tensorflow as tf
import tf_keras

from tfopt.backend.devices import replicas
from tfopt.backend.types import Nested


@contextmanager
def synchronized(layers: Sequence[tf_keras.layers.Layer]) -> Iterator[None]:
    """While it lasts, the batch normalizations among some layers use statistics of all replicas.

    Nothing is changed where there is one replica.

    Args:
        layers: any layers; they are as before afterwards.
    """
    found = [layer for layer in layers if isinstance(layer, tf_keras.layers.BatchNormalization)]
    if replicas.count() == 1:
        found = []
    fused = [layer.fused for layer in found]
    for layer in found:
        _Statistics(layer)
    try:
        yield
    finally:
        for layer, before in zip(found, fused, strict=True):
            layer.fused = before
            del layer._calculate_mean_and_var, layer._assign_moving_average


class _Statistics:
    """Takes the place of two methods of a layer.

    Args:
        layer: a batch normalization.
    """

    def __init__(self, layer: tf_keras.layers.BatchNormalization) -> None:
        self._layer, self._unbiased = layer, bool(layer.fused)
        self._assign = layer._assign_moving_average
        self._counts: dict[int, tf.Tensor] = {}
        layer.fused = False  # the fused kernel computes statistics of its own
        layer._calculate_mean_and_var = self._mean_and_variance
        layer._assign_moving_average = self._follow

    def _mean_and_variance(
        self, inputs: tf.Tensor, reduction_axes: Sequence[int], keep_dims: bool, mask: Nested = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        values = tf.cast(inputs, tf.float32)  # sums of float16 overflow
        weights = tf.ones_like(values)
        if mask is not None:
            weights *= tf.cast(mask, tf.float32)[..., tf.newaxis]

        def sums(numbers: tf.Tensor) -> tf.Tensor:
            return replicas.total(tf.reduce_sum(numbers * weights, axis=reduction_axes, keepdims=True))

        count = sums(tf.ones_like(values))
        mean = tf.math.divide_no_nan(sums(values), count)
        squares = sums(tf.math.squared_difference(values, tf.stop_gradient(mean)))
        variance = tf.math.divide_no_nan(squares, count)
        # Replicas are traced by a thread each, and the moving averages follow in the same thread.
        self._counts[get_ident()] = tf.reduce_max(count)
        if not keep_dims:
            mean, variance = (tf.squeeze(one, reduction_axes) for one in (mean, variance))
        return tf.cast(mean, inputs.dtype), tf.cast(variance, inputs.dtype)

    def _follow(self, variable: tf.Variable, value: tf.Tensor, *arguments: Nested) -> tf.Operation:
        if self._unbiased and variable is self._layer.moving_variance:
            count = tf.cast(self._counts[get_ident()], value.dtype) / tf.cast(replicas.copies(), value.dtype)
            value *= count / tf.maximum(count - 1, 1)  # as the fused kernel has it
        return self._assign(variable, value, *arguments)
