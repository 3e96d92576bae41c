"""Layers of a masked twin: what zeros in weights do not silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.layers import RMSNormalization
from tfopt.backend.quantization.canonical.copying import copy_layer
from tfopt.backend.shrinking.graph.rules.keras3 import is_root_mean_square
from tfopt.backend.types import LayerArguments, Shape

if TYPE_CHECKING:
    from typing import Unpack


class MaskedLayerNormalization(layers.LayerNormalization):
    """Layer normalization with its statistics over the kept units of the last axis.

    Attributes:
        kept: 1 for each unit that is kept, else 0.
    """

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        self.kept = self.add_weight("kept", (input_shape[-1],), initializer="ones", trainable=False)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        kept = tf.cast(self.kept, inputs.dtype)
        count = tf.reduce_sum(kept)
        centered = inputs - tf.reduce_sum(inputs * kept, -1, keepdims=True) / count
        variance = tf.reduce_sum(tf.square(centered) * kept, -1, keepdims=True) / count
        outputs = centered * tf.math.rsqrt(variance + self.epsilon)
        if self.gamma is not None:
            outputs *= tf.cast(self.gamma, inputs.dtype)
        if self.beta is not None:
            outputs += tf.cast(self.beta, inputs.dtype)
        return outputs * kept


class MaskedRMSNormalization(RMSNormalization):
    """RMS normalization with the mean square over the kept units of the last axis.

    Attributes:
        kept: 1 for each unit that is kept, else 0.
    """

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        self.kept = self.add_weight("kept", (input_shape[-1],), initializer="ones", trainable=False)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        squares = tf.square(inputs) * self.kept
        mean_square = tf.reduce_sum(squares, axis=-1, keepdims=True) / tf.reduce_sum(self.kept)
        return inputs * tf.math.rsqrt(mean_square + self.epsilon) * self.factors() * self.kept


class BranchGate(layers.Layer):
    """Multiplies a residual branch by 1, or by 0.

    Attributes:
        open: the factor.
    """

    def __init__(self, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self._supports_masking = True

    def build(self, input_shape: Shape) -> None:
        self.open = self.add_weight("open", (), initializer="ones", trainable=False)
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs * tf.cast(self.open, inputs.dtype)


MASKED: dict[type, type[tf_keras.layers.Layer]] = {
    layers.LayerNormalization: MaskedLayerNormalization,
    RMSNormalization: MaskedRMSNormalization,
}
"""The masked form of a layer type: with `kept` behind its weights."""


def masked_form(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer | None:
    """The masked form of a layer, not built yet; None where zeros in weights silence its units."""
    if is_root_mean_square(layer):
        return MaskedRMSNormalization(layer.wrapped.epsilon, name=layer.name, trainable=layer.trainable)
    kind = MASKED.get(type(layer))
    if kind is None or (kind is MaskedLayerNormalization and not _over_the_last_axis(layer)):
        return None
    return copy_layer(layer, layer.name, kind=kind)


def _over_the_last_axis(layer: layers.LayerNormalization) -> bool:
    rank = len(layer.get_input_shape_at(0))
    return [axis % rank for axis in np.atleast_1d(layer.axis).tolist()] == [rank - 1]
