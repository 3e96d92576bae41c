"""Masked scores for 8 bits, in layers of Keras 3 that compute attention themselves, such as those of KerasHub."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf
import tf_keras

from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper
from tfopt.backend.compat.keras_attention import nn
from tfopt.backend.graph.layers import all_layers
from tfopt.backend.quantization.canonical.mask_layers import as_bool, masked_scores

_ATTENTION = (keras.layers.Softmax, keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)


def may_mask_inside(model: tf_keras.Model) -> bool:
    """Whether a layer of Keras 3 that is run as it is may mask scores: one of its attention, or not of Keras itself."""
    wrapped = (layer.wrapped for layer in all_layers(model) if isinstance(layer, Keras3LayerWrapper))
    return any(
        isinstance(layer, _ATTENTION) or not type(layer).__module__.startswith("keras.src.")
        for layer in wrapped
        if isinstance(layer, keras.layers.Layer)
    )


@contextmanager
def integer_softmax() -> Iterator[None]:
    """Within it, Keras 3 sets masked scores a little below the lowest of their row.

    Keras sets them to -1e9 or less, next to which 8 bits cannot tell any two scores apart: attention in the int8 file
    would be the mean over what is not masked. A rewrite cannot reach a softmax inside of a layer that is not opened, so
    it is changed while that layer is traced.
    """
    softmax, apply_masks = keras.layers.Softmax.call, nn._apply_masks

    def call(self: keras.layers.Softmax, inputs: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        if mask is None or self.axis not in (-1, len(inputs.shape) - 1):
            return softmax(self, inputs, mask)
        weights = softmax(self, masked_scores(inputs, mask))
        return tf.where(as_bool(mask), weights, tf.zeros((), weights.dtype))

    def masked(logits: tf.Tensor, mask: tf.Tensor | None, is_causal: bool) -> tf.Tensor:
        kept = [] if mask is None else [as_bool(mask)]
        if is_causal:
            kept.append(tf.linalg.band_part(tf.ones(tf.shape(logits)[2:], tf.bool), -1, 0))
        return masked_scores(logits, functools.reduce(tf.logical_and, kept)) if kept else logits

    keras.layers.Softmax.call, nn._apply_masks = call, masked
    try:
        yield
    finally:
        keras.layers.Softmax.call, nn._apply_masks = softmax, apply_masks
