"""Attention that keeps keys and values itself, as the decoders of KerasHub do: Llama, Mistral, Qwen, Gemma, ..."""

from __future__ import annotations

import inspect

import keras

CACHE_ARGUMENTS = frozenset({"attention_mask", "cache", "cache_update_index"})
"""What such attention is called with besides its inputs."""


def has_own_cache(layer: object) -> bool:
    """Whether `call` of a layer of Keras 3 takes a cache and where to write into it, and returns the new one.

    Grouped heads, rotary angles, windows and caps are then the layer's own business. What inherits from
    MultiHeadAttention of Keras is left out: it can be opened.
    """
    return (
        isinstance(layer, keras.layers.Layer)
        and not isinstance(layer, keras.layers.MultiHeadAttention)
        and inspect.signature(type(layer).call).parameters.keys() >= CACHE_ARGUMENTS
    )
