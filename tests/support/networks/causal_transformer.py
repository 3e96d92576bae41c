"""A tiny causal language model in the pattern of KerasHub's: own layers with Einsum attention, a tied embedding."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

VOCABULARY, LENGTH, WIDTH, HEADS = 11, 12, 16, 2


def sequences(count: int = 600, length: int = LENGTH) -> tuple[np.ndarray, np.ndarray]:
    """Token ids that count on by a step that differs between sequences; targets are the tokens one later."""
    draw = np.random.default_rng(0)
    start, step = draw.integers(0, VOCABULARY, (count, 1)), draw.integers(1, 4, (count, 1))
    tokens = ((start + step * np.arange(length + 1)) % VOCABULARY).astype(np.int32)
    return tokens[:, :-1], tokens[:, 1:]


@keras.saving.register_keras_serializable(package="tests")
class Positions(layers.Layer):
    """Adds a learned vector for each position to whatever comes in."""

    def build(self, shape: Any) -> None:
        self.table = self.add_weight(shape=(LENGTH, shape[-1]), initializer="random_normal", name="table")

    def call(self, inputs: Any) -> Any:
        rows = ops.slice(ops.convert_to_tensor(self.table), (0, 0), ops.shape(inputs)[1:])
        return ops.broadcast_to(rows, ops.shape(inputs))


@keras.saving.register_keras_serializable(package="tests")
class EinsumAttention(layers.Layer):
    """Causal self-attention of EinsumDense, einsum, and a mask of large negative numbers before the softmax."""

    def build(self, shape: Any) -> None:
        width = shape[-1] // HEADS
        for name in ("query", "key", "value"):
            inner = layers.EinsumDense("abc,cde->abde", (None, HEADS, width), bias_axes="de", name=name)
            inner.build(shape)
            setattr(self, f"{name}_dense", inner)
        self.out_dense = layers.EinsumDense("abcd,cde->abe", (None, shape[-1]), bias_axes="e", name="out")
        self.out_dense.build((*shape[:-1], HEADS, width))
        self.drop = layers.Dropout(0.1)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        length, width = inputs.shape[1], inputs.shape[-1] // HEADS
        query = ops.multiply(self.query_dense(inputs), 1 / width**0.5)
        scores = ops.einsum("aecd,abcd->acbe", self.key_dense(inputs), query)
        causal = ops.expand_dims(ops.arange(length), 1) >= ops.arange(length)
        scores = scores + ops.reshape((1.0 - ops.cast(causal, "float32")) * -1e9, (1, 1, length, length))
        weights = self.drop(ops.softmax(scores, axis=-1), training=training)
        return self.out_dense(ops.einsum("acbe,aecd->abcd", weights, self.value_dense(inputs)))


def backbone() -> keras.Model:
    """Tokens to vectors: a model of its own, as `keras_hub.models.Backbone` is."""
    tokens = keras.Input((LENGTH,), dtype="int32", name="token_ids")
    embedded = layers.ReversibleEmbedding(VOCABULARY, WIDTH, name="token_embedding")(tokens)
    x = layers.Add(name="embeddings_add")([embedded, Positions(name="positions")(embedded)])
    attended = EinsumAttention(name="attention")(layers.LayerNormalization(name="norm_1")(x))
    x = layers.Add(name="residual_1")([x, attended])
    hidden = layers.Dense(2 * WIDTH, activation="gelu", name="wide")(layers.LayerNormalization(name="norm_2")(x))
    x = layers.Add(name="residual_2")([x, layers.Dense(WIDTH, name="narrow")(hidden)])
    return keras.Model(tokens, layers.LayerNormalization(name="norm_3")(x), name="backbone")


def build(input_shape: Any = None, num_outputs: Any = None, tied: bool = True) -> keras.Model:
    """Logits of the next token; `tied` uses the embedding as output layer."""
    inner = backbone()
    tokens = keras.Input((LENGTH,), dtype="int32", name="tokens")
    hidden = inner(tokens)
    if tied:
        return keras.Model(tokens, inner.get_layer("token_embedding")(hidden, reverse=True), name="language_model")
    return keras.Model(tokens, layers.Dense(VOCABULARY, name="head")(hidden), name="language_model")
