"""Attention with the keys and values of earlier positions in a cache.

Keys lie as (1, heads, context, size) and values as (1, heads, size, context), a layout that LiteRT-LM runs. Each call
writes one slice at its first position: a bucket is padded at its end, and what the padding writes is overwritten by
the next call before anything attends to it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import TypeGuard

import keras
import numpy as np
import tensorflow as tf

from tfopt.backend.bridge.opened_layer import OwnLayer
from tfopt.backend.bridge.reading.arguments import fill
from tfopt.backend.compat.slice_update import dynamic_update_slice
from tfopt.backend.generation.step import EitherLayer, Step
from tfopt.backend.layers.rotary import rotated
from tfopt.errors import ExportError

_PROJECTIONS = ("query_dense", "key_dense", "value_dense", "output_dense")
"""Attributes of attention of Keras 3 with the layers in front of and behind the products."""


def attend(step: Step, query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, scale: float) -> tf.Tensor:
    """Scaled dot-product attention of new queries to all positions so far.

    Args:
        step: the call.
        query: (1, length, heads, size).
        key: (1, length, key heads, size); the key heads divide the heads, each serves several in a row.
        value: (1, length, key heads, value size).
        scale: of the scores.

    Returns:
        (1, length, heads, value size).
    """
    length, heads, size = step.length, int(query.shape[2]), int(query.shape[3])
    shared, width = int(key.shape[2]), int(value.shape[3])
    names = step.next_attention()
    keys = _updated(step, names[0], tf.transpose(key, (0, 2, 1, 3)), axis=2)
    values = _updated(step, names[1], tf.transpose(value, (0, 2, 3, 1)), axis=3)
    rows = heads // shared
    grouped = tf.reshape(tf.transpose(query * scale, (0, 2, 1, 3)), (1, shared, rows * length, size))
    scores = tf.matmul(grouped, keys, transpose_b=True) + tf.tile(step.attention_mask(), (1, 1, rows, 1))
    context = tf.matmul(tf.nn.softmax(scores), values, transpose_b=True)
    return tf.transpose(tf.reshape(context, (1, heads, length, width)), (0, 2, 1, 3))


def _updated(step: Step, name: str, new: tf.Tensor, axis: int) -> tf.Tensor:
    """The float32 cache with this call's slice in it; it is also what the call returns under that name.

    A padded bucket may reach beyond the context, where a slice update would move its beginning: so there is room for
    one more bucket while the slice is written.
    """
    shape = [step.context if at == axis else int(size) for at, size in enumerate(new.shape)]
    old = step.old(name, tuple(shape), step.cache)
    at = [step.start if index == axis else 0 for index in range(4)]
    if step.length == 1:
        step.new[name] = dynamic_update_slice(old, tf.cast(new, step.cache), at)
        return tf.cast(step.new[name], tf.float32)
    # LiteRT slices no float16.
    rounded = tf.cast(tf.cast(new, step.cache), tf.float32)
    room = tf.concat([tf.cast(old, tf.float32), tf.zeros(new.shape)], axis)
    updated = tf.slice(dynamic_update_slice(room, rounded, at), [0, 0, 0, 0], shape)
    step.new[name] = tf.cast(updated, step.cache)
    return updated


def multi_head_attention(layer: EitherLayer, step: Step) -> Callable[..., tf.Tensor]:
    """`call` of MultiHeadAttention of tf_keras, Keras 3 and KerasHub, and of GroupedQueryAttention of Keras 3."""
    if any(getattr(layer, name, None) for name in ("_use_gate", "use_gate", "_sliding_window", "sliding_window")):
        raise ExportError("attention with a gate or a window has no cache", code="not_stepwise")
    size = layer.head_dim if isinstance(layer, keras.layers.GroupQueryAttention) else layer._key_dim

    def call(query: tf.Tensor, value: tf.Tensor, key: tf.Tensor | None = None, **others: object) -> tf.Tensor:
        if others.get("return_attention_scores"):
            raise ExportError("it returns the attention scores of all positions", code="not_stepwise")
        if query.shape.rank != 3:
            raise ExportError(f"attention over inputs of {query.shape.rank} axes has no cache", code="not_stepwise")
        found = attend(
            step,
            layer._query_dense(query),
            layer._key_dense(value if key is None else key),
            layer._value_dense(value),
            size**-0.5,
        )
        return layer._output_dense(found)

    return call


def is_opened_attention(layer: object) -> TypeGuard[OwnLayer]:
    """Whether a layer is opened attention of a class that inherits from that of Keras 3, such as KerasHub's."""
    if not isinstance(layer, OwnLayer) or not set(_PROJECTIONS) <= set(_inside(layer)):
        return False
    own = [code for code in layer.wrapped_classes() if isinstance(code, type) and code.__name__ == layer.own_type]
    return any(issubclass(kind, keras.layers.MultiHeadAttention) for kind in own)


def opened_attention(layer: EitherLayer, step: Step) -> Callable[..., tf.Tensor]:
    """`call` of such a layer, whose inputs are the tensors of the call that was opened, flat."""
    query, key, value, output = (_inside(layer)[name] for name in _PROJECTIONS)

    def call(inputs: object, training: bool | None = None) -> tf.Tensor:
        given = _by_name(layer, tf.nest.flatten(inputs))
        if given.get("return_attention_scores"):
            raise ExportError("it returns the attention scores of all positions", code="not_stepwise")
        keys = given["value"] if given.get("key") is None else given["key"]
        projected = query(given["query"])
        return output(attend(step, projected, key(keys), value(given["value"]), int(projected.shape[-1]) ** -0.5))

    return call


def read_by_opened_attention(layer: EitherLayer, tensors: list[tf.Tensor]) -> list[tf.Tensor]:
    """Those of the tensors that such a layer is called with that its `call` with state reads: no masks."""
    given = _by_name(layer, tensors)
    return [given[name] for name in ("query", "value", "key") if given.get(name) is not None]


def _by_name(layer: EitherLayer, tensors: list[tf.Tensor]) -> dict[str, tf.Tensor]:
    args, kwargs = fill(json.loads(layer.pattern), tensors)
    return {**dict(zip(("query", "value", "key", "attention_mask"), args, strict=False)), **kwargs}


def _inside(layer: EitherLayer) -> dict[str, keras.layers.Layer]:
    """The layers inside an opened layer, by its attribute that holds each."""
    return {part.name.removeprefix(f"{layer.name}."): part for part in layer.layers}


def grouped_query_attention(layer: EitherLayer, step: Step) -> Callable[..., tf.Tensor]:
    """`call` of `tfopt.backend.layers.GroupedQueryAttention`; rotary angles are those of the positions."""

    def call(inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        def heads(projected: tf.Tensor, count: int) -> tf.Tensor:
            return tf.reshape(projected, (1, step.length, count, layer.head_size))

        query = heads(layer.query(inputs), layer.num_heads)
        key = heads(layer.key(inputs), layer.key_value_heads)
        value = heads(layer.value(inputs), layer.key_value_heads)
        if layer.rotary:
            turns = _turns(step, layer.head_size, layer.rotary_base)
            query, key = rotated(query, *turns), rotated(key, *turns)
        found = attend(step, query, key, value, layer.head_size**-0.5)
        return layer.attention_output(tf.reshape(found, (1, step.length, layer.num_heads * layer.head_size)))

    return call


def _turns(step: Step, head_size: int, base: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Cosines and sines of a call's positions, (1, length, 1, head_size / 2): those of `rotary_tables`.

    They are computed: a table would be stored in each signature, and rounded as if it were an embedding.
    """
    speeds = base ** (-np.arange(0, head_size, 2, dtype=np.float64) / head_size)
    places = tf.reshape(tf.cast(step.positions, tf.float32), (1, step.length, 1, 1))
    angles = places * tf.constant(speeds.reshape(1, 1, 1, -1), tf.float32)
    return tf.cos(angles), tf.sin(angles)


def dot_product_attention(layer: EitherLayer, step: Step) -> Callable[..., tf.Tensor]:
    """`call` of Attention, whose inputs are [query, value] or [query, value, key]."""
    if getattr(layer, "score_mode", "dot") != "dot":
        raise ExportError("attention with score_mode: concat has no cache", code="not_stepwise")

    def call(inputs: list[tf.Tensor], *args: object, **others: object) -> tf.Tensor:
        query, value, key = inputs[0], inputs[1], inputs[-1 if len(inputs) > 2 else 1]
        one_head = functools.partial(tf.expand_dims, axis=2)
        scale = layer.scale if getattr(layer, "use_scale", False) else 1.0
        found = attend(step, one_head(query), one_head(key), one_head(value), scale)
        return tf.reshape(found, (1, step.length, int(value.shape[-1])))

    return call
