"""Attention with a cache of its own, called as KerasHub calls that of its decoders."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("cached_attention")
class Cached(layers.Layer):
    """One key head for two query heads; each key says less the farther it is back."""

    def build(self, shape: Any) -> None:
        width = shape[-1]
        self.query_dense = layers.EinsumDense("btd,dnh->btnh", (None, 2, 4), name="query")
        self.key_dense = layers.EinsumDense("btd,dnh->btnh", (None, 1, 4), name="key")
        self.value_dense = layers.EinsumDense("btd,dnh->btnh", (None, 1, 4), name="value")
        self.output_dense = layers.EinsumDense("btnh,nhd->btd", (None, width), name="output")
        for dense in (self.query_dense, self.key_dense, self.value_dense):
            dense.build(shape)
        self.output_dense.build((None, None, 2, 4))

    def call(self, x: Any, attention_mask: Any = None, cache: Any = None, cache_update_index: Any = None) -> Any:
        query, key, value = self.query_dense(x), self.key_dense(x), self.value_dense(x)
        if cache is not None:
            start = [0, cache_update_index, 0, 0]
            key, value = ops.slice_update(cache[:, 0], start, key), ops.slice_update(cache[:, 1], start, value)
            cache = ops.stack((key, value), axis=1)
        scores = ops.einsum("btnh,bskh->bnts", query, key)
        weights = ops.softmax(ops.where(ops.expand_dims(attention_mask, 1), scores, -1e9))
        outputs = self.output_dense(ops.einsum("bnts,bskh->btnh", weights, value))
        return outputs if cache is None else (outputs, cache)

    def compute_output_shape(self, shape: Any, **_: Any) -> Any:
        return shape
