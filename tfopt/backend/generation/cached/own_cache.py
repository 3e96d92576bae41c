"""Attention with a cache of its own (`call(x, attention_mask, cache, cache_update_index)` of KerasHub), step by step.

The layer computes as its class says; only where keys and values lie is changed, to the layout of `attention`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import keras
import tensorflow as tf

from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper
from tfopt.backend.bridge.reading.arguments import fill
from tfopt.backend.bridge.reading.caches import CACHE_ARGUMENTS, has_own_cache
from tfopt.backend.compat.keras_3 import call_signature
from tfopt.backend.generation.step import EitherLayer, Step
from tfopt.backend.types import Nested
from tfopt.errors import ExportError

_KEYS = ("key_dense", "_key_dense", "_qkv_dense")
"""Attributes that hold the layer which makes keys, or queries, keys and values at once."""
_WINDOWS = ("_sliding_window", "sliding_window")
"""Attributes that say how many positions are attended to; the decoders of Mistral and Mixtral make that mask."""


def with_own_cache(part: EitherLayer, step: Step) -> Callable[..., tf.Tensor]:
    """`call` of such a layer, which ignores the mask that it is given: that of the step takes its place."""
    layer = cast(keras.layers.Layer, part)
    compute: Callable[..., tuple[tf.Tensor, tf.Tensor]] = type(layer).call

    def call(*args: Nested, **kwargs: Nested) -> tf.Tensor:
        given = _without_mask(layer, args, kwargs)
        values = next(iter(given.values()))
        names = step.next_attention()
        shape = (1, step.context, *_heads_and_size(layer, int(values.shape[-1])))
        # A padded bucket may reach beyond the context, where a slice update would move its beginning.
        room = step.length if step.length > 1 else 0
        old = [_widened(_read(step, name, shape), room) for name in names]
        outputs, cache = compute(
            layer,
            **given,
            attention_mask=_seen(layer, step, room),
            cache=tf.stack(old, 1),
            cache_update_index=step.start,
        )
        for index, name in enumerate(names):
            step.new[name] = _written(step, name, tf.slice(cache[:, index], (0, 0, 0, 0), shape))
        return outputs

    return call


def read_with_own_cache(layer: object, tensors: Sequence[tf.Tensor]) -> list[tf.Tensor] | None:
    """Those of the tensors that a wrapped layer is called with that it reads step by step; None for other layers."""
    if not (isinstance(layer, Keras3LayerWrapper) and has_own_cache(layer.wrapped)):
        return None
    given = _without_mask(layer.wrapped, *fill(layer.pattern_of(0), list(tensors)))
    return [value for value in tf.nest.flatten(given) if any(value is tensor for tensor in tensors)]


def _without_mask(layer: keras.layers.Layer, args: Sequence[Nested], kwargs: Mapping[str, Nested]) -> dict[str, Nested]:
    """The arguments of a call by name, the input first, without mask and cache."""
    given = call_signature(layer).bind(*args, **kwargs).arguments
    return {name: value for name, value in given.items() if name not in CACHE_ARGUMENTS}


def _heads_and_size(layer: keras.layers.Layer, width: int) -> tuple[int, int]:
    """How many heads have keys of their own, and how many numbers a key has."""
    for name in _KEYS:
        dense = getattr(layer, name, None)
        if isinstance(dense, keras.layers.Layer):
            shape = dense.compute_output_shape((1, 1, width))
            if len(shape) == 4:
                return int(shape[2]), int(shape[3]) // (3 if name == "_qkv_dense" else 1)
    raise ExportError("it has a cache whose shape is not known", code="not_stepwise")


def _read(step: Step, name: str, shape: tuple[int, ...]) -> tf.Tensor:
    """Keys or values as they lie in the layer's cache: (1, context, heads, size), float32."""
    _, context, heads, size = shape
    if _is_key(name):
        old = step.old(name, (1, heads, context, size), step.cache)
        return tf.transpose(tf.cast(old, tf.float32), (0, 2, 1, 3))
    old = step.old(name, (1, heads, size, context), step.cache)
    return tf.transpose(tf.cast(old, tf.float32), (0, 3, 1, 2))


def _written(step: Step, name: str, values: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.transpose(values, (0, 2, 1, 3) if _is_key(name) else (0, 2, 3, 1)), step.cache)


def _is_key(name: str) -> bool:
    return "_k_" in name


def _widened(values: tf.Tensor, room: int) -> tf.Tensor:
    _, _, heads, size = values.shape
    return tf.concat([values, tf.zeros((1, room, heads, size))], 1) if room else values


def _seen(layer: keras.layers.Layer, step: Step, room: int) -> tf.Tensor:
    """What each position attends to, bool (1, length, context and room)."""
    seen = step.attention_mask()[:, 0] > -1.0
    window = next((size for name in _WINDOWS if (size := getattr(layer, name, None))), None)
    if window is not None:
        columns = tf.range(step.context)[tf.newaxis]
        seen = tf.logical_and(seen, (columns > step.positions[:, tf.newaxis] - int(window))[tf.newaxis])
    return tf.concat([seen, tf.zeros((1, step.length, room), tf.bool)], 2) if room else seen
