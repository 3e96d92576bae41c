"""The layers of the canonical form that compute with masks as tensors: True where a step counts, False for padding.

A mask is a bool tensor, (batch, steps), that layers get as one of their inputs; none of them uses the masks that Keras
passes along behind the tensors. Numbers are picked with SELECT_V2, never cast: a CAST of bool computes in float.
Each accepts floats for a mask, too: Keras infers the shapes of results with inputs of one dtype.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from tf_keras import layers

from tfopt.backend.types import LayerArguments, Nested

if TYPE_CHECKING:
    from typing import Unpack

MARGIN = 16.0
"""How far below the lowest score of its row a masked score is: e^-16 of the smallest weight that counts.

Keras takes 1e9, next to which 8 bits cannot tell any two scores apart.
"""


class NotEqual(layers.Layer):
    """The mask of `Embedding(mask_zero=True)` and `Masking`: which steps differ from the value of padding.

    Args:
        value: of padding.
        any_feature: a step counts if any number of its last axis differs.
    """

    def __init__(self, value: float = 0, any_feature: bool = False, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.value = value
        self.any_feature = any_feature

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        differs = tf.not_equal(inputs, tf.cast(self.value, inputs.dtype))
        return tf.reduce_any(differs, axis=-1) if self.any_feature else differs

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "value": self.value, "any_feature": self.any_feature}


class ZeroPadded(layers.Layer):
    """Values, 0 where they are padding: [values (batch, steps, ...), mask]."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        values, mask = inputs
        return tf.where(_as_rank_of(values, as_bool(mask)), values, tf.zeros((), values.dtype))


class AllMasks(layers.Layer):
    """Where all of some masks are True; they may be of different sizes."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        return functools.reduce(tf.logical_and, inputs)


class JoinedMasks(layers.Layer):
    """Masks of sequences that are concatenated.

    Args:
        axis: of the steps.
    """

    def __init__(self, axis: int = 1, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        return tf.concat(inputs, axis=self.axis)

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "axis": self.axis}


class CausalMask(layers.Layer):
    """The mask of attention in which no target sees later positions, (1, targets, positions): of [query, value]."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        query, value = inputs
        return causal_mask(query, value)


def causal_mask(query: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """True where a position of `value` is not behind one of `query`: (1, targets, positions).

    A constant where both numbers of steps are known, else compared in integers.
    """
    targets, positions = query.shape[1], value.shape[1]
    if targets is not None and positions is not None:
        return tf.constant(np.tri(targets, positions)[np.newaxis] > 0)
    rows, columns = tf.range(tf.shape(query)[1]), tf.range(tf.shape(value)[1])
    return (rows[:, tf.newaxis] >= columns)[tf.newaxis]


class AttentionMask(layers.Layer):
    """The mask of attention scores, (batch, 1 or targets, positions), from the masks that a call has.

    Args:
        roles: what each input is: `query`, `value` or `key`, (batch, steps), or `scores`, of all scores.
    """

    def __init__(self, roles: Sequence[str], **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.roles = tuple(roles)

    def call(self, inputs: Nested) -> tf.Tensor:
        masks = tf.nest.flatten(inputs)
        parts = [self._part(role, mask) for role, mask in zip(self.roles, masks, strict=True)]
        return functools.reduce(tf.logical_and, parts)

    def _part(self, role: str, mask: tf.Tensor) -> tf.Tensor:
        return as_bool(mask) if role == "scores" else tf.expand_dims(mask, 2 if role == "query" else 1)

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "roles": self.roles}


class MaskedScores(layers.Layer):
    """Scores before a softmax, (..., targets, positions), those that are masked far below the lowest of their row.

    Where a whole row is masked, all its scores are equal, and so are its weights, as in tf_keras.

    Args:
        kept: nested lists of bool, True where a score stays; None where the mask is the second input. Its axes are the
            last ones of the scores, as NumPy broadcasts: a mask with a batch has an axis for the heads, too.
    """

    def __init__(self, kept: Nested = None, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.kept = kept

    def call(self, inputs: Nested) -> tf.Tensor:
        scores, mask = (inputs, tf.constant(self.kept, tf.bool)) if self.kept is not None else inputs
        return masked_scores(scores, mask)

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "kept": self.kept}


def masked_scores(scores: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Scores (..., targets, positions) that softmax turns into no weight where a mask is False.

    Args:
        scores: before softmax.
        mask: of any dtype (see `as_bool`); its axes are the last ones of the scores.
    """
    return tf.where(as_bool(mask), scores, tf.reduce_min(scores, axis=-1, keepdims=True) - MARGIN)


class KeptWeights(layers.Layer):
    """[weights, mask]: the weights of attention, 0 where they are masked; a whole row may be 0, as in Keras 3."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        weights, mask = inputs
        return tf.where(as_bool(mask), weights, tf.zeros((), weights.dtype))


class MaskedMean(layers.Layer):
    """Mean over the steps that count: [values (batch, steps, features), mask] to (batch, features); 0 if none does.

    Each step has the weight 1/sqrt(n) before the sum over n steps, and the sum 1/sqrt(n) after it, read from a table: a
    division by n in 8 bits is coarse for short sequences, one before the sum for long ones, and the division of
    TFLite's reference kernels stops at a sum of 0.

    Args:
        keepdims: keep an axis of size 1 for the steps.
    """

    def __init__(self, keepdims: bool = False, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.keepdims = keepdims

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        values, mask = inputs[0], as_bool(inputs[1])
        root = tf.reshape(_root_of_count(mask, values.dtype), (-1, 1, 1))
        weights = tf.where(tf.expand_dims(mask, 1), root, tf.zeros((), values.dtype))
        mean = tf.matmul(weights, values) * root
        return mean if self.keepdims else tf.squeeze(mean, 1)

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "keepdims": self.keepdims}


def _root_of_count(mask: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """1/sqrt(n) for each example's n steps that count, 0 for none."""
    count = tf.reduce_sum(tf.where(mask, 1, 0), axis=1)
    steps = mask.shape[1]
    if steps is None:
        return tf.where(count > 0, tf.math.rsqrt(tf.cast(tf.maximum(count, 1), dtype)), tf.zeros((), dtype))
    table = np.concatenate([[0], 1 / np.sqrt(np.arange(1, steps + 1))])
    return tf.gather(tf.constant(table, dtype), count)


class WithMask(layers.Layer):
    """[values, mask]: values behind which Keras passes the mask along, for a layer that expects it there."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        return tf.identity(inputs[0])

    def compute_mask(self, inputs: list[tf.Tensor], mask: Nested = None) -> tf.Tensor:
        return inputs[1]


class WithoutMask(layers.Layer):
    """Values, without the mask that Keras passes along behind them."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.identity(inputs)


class TakeMask(layers.Layer):
    """The mask that Keras passes along behind values, as a tensor."""

    def call(self, inputs: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        if mask is None:
            raise ValueError("a mask is expected behind these values")
        return tf.identity(mask)

    def compute_mask(self, inputs: tf.Tensor, mask: Nested = None) -> None:
        return


class _MaskedAttention(layers.Layer):
    """What both kinds of attention share; called with a list: query, value, key (or not), and its masks.

    Args:
        roles: what the inputs are: `query`, `value`, `key`, `query_mask`, `value_mask`, in this order.
        hides_later: no target sees later positions. A key, since tfmot's wrappers hand no argument of a call on.
    """

    def __init__(self, roles: Sequence[str] = (), hides_later: bool = False, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.roles = tuple(roles)
        self.hides_later = hides_later

    def build(self, input_shape: Sequence[object]) -> None:
        super().build([shape for role, shape in zip(self.roles, input_shape, strict=True) if "mask" not in role])

    def call(
        self, inputs: list[tf.Tensor], training: bool | None = None, return_attention_scores: bool = False
    ) -> Nested:
        given = dict(zip(self.roles, inputs, strict=True))
        query, value = given["query"], given["value"]
        scores = self._calculate_scores(query=query, key=given.get("key", value))
        kept = [tf.expand_dims(as_bool(given["value_mask"]), 1)] if "value_mask" in given else []
        kept += [causal_mask(query, value)] if self.hides_later else []
        if kept:
            scores = masked_scores(scores, functools.reduce(tf.logical_and, kept))
        result, weights = self._apply_scores(scores, value, None, training)
        if "query_mask" in given:
            result = tf.where(tf.expand_dims(as_bool(given["query_mask"]), 2), result, tf.zeros((), result.dtype))
        return (result, weights) if return_attention_scores else result

    def compute_mask(self, inputs: Nested, mask: Nested = None) -> None:
        return

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "roles": self.roles, "hides_later": self.hides_later}


class MaskedAttention(_MaskedAttention, layers.Attention):
    """`Attention` with its masks among its inputs."""


class MaskedAdditiveAttention(_MaskedAttention, layers.AdditiveAttention):
    """`AdditiveAttention` with its masks among its inputs."""

    def _calculate_scores(self, query: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        # A product with a vector, not SUM, whose int8 reference kernel is wrong (LiteRT of November 2026).
        both = tf.tanh(tf.expand_dims(query, 2) + tf.expand_dims(key, 1))
        scale = self.scale if self.use_scale else tf.ones(both.shape[-1], both.dtype)
        return tf.squeeze(tf.matmul(both, tf.expand_dims(scale, 1)), -1)


class MaskedBidirectional(layers.Bidirectional):
    """`Bidirectional` whose padded steps are not 0: unrolled, tf_keras sets those of the backward layer wrong."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for layer in (self.forward_layer, self.backward_layer):
            layer.zero_output_for_mask = False


def _as_rank_of(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    while mask.shape.rank < values.shape.rank:
        mask = tf.expand_dims(mask, -1)
    return mask


def as_bool(mask: tf.Tensor) -> tf.Tensor:
    """A mask of any dtype as bool: floats above 0.5, and integers other than 0, are True."""
    if mask.dtype == tf.bool:
        return mask
    return mask > 0.5 if mask.dtype.is_floating else tf.not_equal(mask, tf.zeros((), mask.dtype))
