"""Pooling over all positions so far: the state is what has been pooled, and of how many."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tfopt.backend.generation.step import EitherLayer, Step
from tfopt.errors import ExportError


def average(layer: EitherLayer, step: Step) -> Callable[..., tf.Tensor]:
    """`call` of GlobalAveragePooling1D."""

    def call(inputs: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        _check(layer, mask)
        names, (total, count) = step.next_states([(1, int(inputs.shape[-1])), (1, 1)])
        step.new[names[0]] = total + tf.reduce_sum(inputs, 1)
        step.new[names[1]] = count + float(step.length)
        return _shaped(layer, step.new[names[0]] / step.new[names[1]])

    return call


def largest(layer: EitherLayer, step: Step) -> Callable[..., tf.Tensor]:
    """`call` of GlobalMaxPooling1D."""

    def call(inputs: tf.Tensor) -> tf.Tensor:
        _check(layer, None)
        names, (before, count) = step.next_states([(1, int(inputs.shape[-1])), (1, 1)])
        here = tf.reduce_max(inputs, 1)
        # Zeros at the beginning are no values.
        step.new[names[0]] = tf.where(count > 0.0, tf.maximum(before, here), here)
        step.new[names[1]] = count + float(step.length)
        return _shaped(layer, step.new[names[0]])

    return call


def _check(layer: EitherLayer, mask: tf.Tensor | None) -> None:
    if mask is not None:
        raise ExportError("it leaves masked positions out, and a stream has no mask", code="not_stepwise")
    if layer.data_format != "channels_last":
        raise ExportError("data_format: channels_first puts positions last", code="not_stepwise")


def _shaped(layer: EitherLayer, pooled: tf.Tensor) -> tf.Tensor:
    return tf.expand_dims(pooled, 1) if layer.keepdims else pooled
