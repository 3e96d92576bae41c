"""Which parts of a layer have a call with state, and how they get it for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeAlias

import keras
import tensorflow as tf
import tf_keras

from tfopt.backend.bridge.reading.caches import has_own_cache
from tfopt.backend.generation.cached import attention, own_cache, pooling, positions, recurrent
from tfopt.backend.generation.step import EitherLayer, Step
from tfopt.backend.graph.layers import all_layers
from tfopt.backend.layers import GroupedQueryAttention, PositionEmbedding

Replace: TypeAlias = Callable[[EitherLayer, Step], Callable[..., object]]
"""Makes the call with state of a part."""

_KINDS: tuple[tuple[tuple[type, ...], Replace], ...] = (
    (
        (tf_keras.layers.MultiHeadAttention, keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention),
        attention.multi_head_attention,
    ),
    ((GroupedQueryAttention,), attention.grouped_query_attention),
    ((tf_keras.layers.Attention, keras.layers.Attention), attention.dot_product_attention),
    ((tf_keras.layers.RNN, keras.layers.RNN), recurrent.recurrent),
    ((PositionEmbedding,), positions.position_embedding),
    ((tf_keras.layers.GlobalAveragePooling1D, keras.layers.GlobalAveragePooling1D), pooling.average),
    ((tf_keras.layers.GlobalMaxPooling1D, keras.layers.GlobalMaxPooling1D), pooling.largest),
)


def replacement(part: EitherLayer) -> Replace | None:
    """What makes the call with state of a part; None for a part that has none, or needs none."""
    for kinds, replace in _KINDS:
        if isinstance(part, kinds):
            return replace
    if isinstance(part, tf_keras.layers.Conv1D) and getattr(part, "padding", "") == "causal":
        return recurrent.causal_convolution
    if has_own_cache(part):
        return own_cache.with_own_cache
    return positions.with_positions if positions.takes_positions(part) else None


def counts_positions(layer: tf_keras.layers.Layer) -> bool:
    """Whether a part of a layer computes with the number of a position."""
    return any(
        replace in (positions.position_embedding, positions.with_positions) or getattr(part, "rotary", False)
        for part, replace in parts_with_state(layer)
    )


def parts_with_state(layer: tf_keras.layers.Layer) -> Iterator[tuple[EitherLayer, Replace]]:
    """The parts of a layer, itself or inside of it, whose call is replaced, each once."""
    if attention.is_opened_attention(layer):
        yield layer, attention.opened_attention
        return
    wrapped = getattr(layer, "wrapped", None)
    inside = (
        wrapped._flatten_layers() if isinstance(wrapped, keras.layers.Layer) else all_layers(layer, include_self=True)
    )
    seen: set[int] = set()
    for part in inside:
        replace = replacement(part)
        if replace is not None and id(part) not in seen:
            seen.add(id(part))
            yield part, replace


@contextmanager
def with_state(layer: tf_keras.layers.Layer, step: Step) -> Iterator[None]:
    """While it lasts, the parts of a layer compute the positions of a step, with its states.

    Whatever a layer does around them, such as normalization, it goes on doing.

    Raises:
        ExportError: a part cannot compute with a state.
    """
    with ExitStack() as stack:
        for part, replace in parts_with_state(layer):
            stack.enter_context(_calls(part, replace(part, step)))
        yield


@contextmanager
def _calls(part: EitherLayer, call: Callable[..., object]) -> Iterator[None]:
    """Gives one object a `call` of its own, past what Keras does when an attribute is set."""
    had = vars(part).get("call")
    object.__setattr__(part, "call", tf.autograph.experimental.do_not_convert(call))
    try:
        yield
    finally:
        if had is None:
            object.__delattr__(part, "call")
        else:
            object.__setattr__(part, "call", had)
