"""One call of a cached model: the positions it computes, and the state that it takes and returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import keras
import tensorflow as tf
import tf_keras

from tfopt.backend.types import Shape

EitherLayer: TypeAlias = tf_keras.layers.Layer | keras.layers.Layer
"""A layer of either Keras."""

BLOCKED = -0.7 * tf.float32.max
"""What the mask of LiteRT-LM adds to the score of a position that is not attended to."""


@dataclass
class Step:
    """What the replaced parts of a model share during one call.

    Args:
        positions: int32 (length,), those of the tokens of this call; one call writes them as one slice, from the first.
        length: how many.
        context: positions that there is room for.
        mask: float32 (1, 1, length, context), added to scores; None for a causal one.
        states: what the call before returned, by name; None at the beginning: zeros.
        cache: dtype of keys and values.
        new: what this call returns for the next one, by name.
    """

    positions: tf.Tensor
    length: int
    context: int
    mask: tf.Tensor | None = None
    states: Mapping[str, tf.Tensor] | None = None
    cache: tf.DType = tf.float32
    new: dict[str, tf.Tensor] = field(default_factory=dict)
    _attentions: int = 0
    _others: int = 0

    @property
    def start(self) -> tf.Tensor:
        """The first position of this call, a scalar."""
        return tf.reshape(tf.slice(self.positions, [0], [1]), [])

    def attention_mask(self) -> tf.Tensor:
        """The mask; where the caller gives none, each position attends to itself and what is before it."""
        if self.mask is not None:
            return self.mask
        seen = tf.range(self.context)[tf.newaxis] <= self.positions[:, tf.newaxis]
        return tf.where(seen, 0.0, BLOCKED)[tf.newaxis, tf.newaxis]

    def next_attention(self) -> tuple[str, str]:
        """Names of the cached keys and values of the attention that asks, in the order of calls."""
        number, self._attentions = self._attentions, self._attentions + 1
        return f"kv_cache_k_{number}", f"kv_cache_v_{number}"

    def next_states(self, shapes: Sequence[Shape]) -> tuple[list[str], list[tf.Tensor]]:
        """Names and values of the states of a part that asks.

        Args:
            shapes: of each, with a batch of one.
        """
        names = [f"state_{self._others + index}" for index in range(len(shapes))]
        self._others += len(shapes)
        return names, [self.old(name, shape, tf.float32) for name, shape in zip(names, shapes, strict=True)]

    def old(self, name: str, shape: Shape, dtype: tf.DType) -> tf.Tensor:
        """A state as the call before left it."""
        return tf.zeros(shape, dtype) if self.states is None else self.states[name]
