"""A decoder that generates text, as GPT-2 or, with rotary positions, RMS norm and grouped heads, as Llama."""

from __future__ import annotations

from typing import Literal

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.layers import GroupedQueryAttention, PositionEmbedding, TiedEmbedding, TiedLogits
from tfopt.backend.models.zoo._parts import ExampleShape, Output, ended
from tfopt.backend.models.zoo._transformer import (
    Activation,
    Normalization,
    check_choice,
    check_heads,
    dropped,
    feed_forward,
    initial,
    normalization,
    token_input,
)
from tfopt.errors import StageError

_NAME = "gpt"


def build(
    input_shape: ExampleShape,
    num_outputs: int,
    *,
    vocabulary_size: int | None = None,
    width: int = 128,
    blocks: int = 4,
    heads: int = 4,
    key_value_heads: int | None = None,
    feed_forward_width: int | None = None,
    positions: Literal["learned", "rotary"] = "learned",
    norm: Normalization = "layer_norm",
    epsilon: float = 1e-5,
    activation: Activation = "gelu_tanh",
    tie_weights: bool = True,
    dropout: float = 0.1,
    output: Output = "softmax",
) -> tf_keras.Model:
    """A causal language model with the normalization before each half of a block (Radford et al. 2019).

    Args:
        input_shape: (positions,) of token ids.
        num_outputs: tokens to choose from at each position.
        vocabulary_size: tokens that may come in; as many as go out by default.
        width: of the vectors.
        blocks: number of them.
        heads: of attention.
        key_value_heads: heads of keys and values, each shared by several of the queries (Ainslie et al. 2023,
            arXiv:2305.13245); as many as `heads` by default.
        feed_forward_width: of the hidden layer in a block; four times `width` by default.
        positions: a learned vector for each, or rotary (Su et al. 2021, arXiv:2104.09864).
        norm: LayerNormalization, or the root mean square.
        epsilon: of the normalization.
        activation: of the feed-forward layers.
        tie_weights: the table of the embedding is that of the last layer, too.
        dropout: share dropped in training: of vectors, and of attention weights.
        output: what follows the layer `logits`.
    """
    tokens_in = num_outputs if vocabulary_size is None else vocabulary_size
    inputs, length = token_input(input_shape, _NAME, tokens_in)
    check_choice(_NAME, "positions", positions, ("learned", "rotary"))
    check_choice(_NAME, "norm", norm, ("layer_norm", "rms_norm"))
    check_heads(_NAME, width, heads)
    shared = heads if key_value_heads is None else key_value_heads
    _check_shared(heads, shared)
    if tie_weights and tokens_in != num_outputs:
        raise StageError(
            f"args.tie_weights of the model {_NAME} needs as many tokens in as out. Got {tokens_in} and {num_outputs}.",
            "Set model.args.tie_weights: false, or targets that are tokens.",
            code="invalid_argument",
        )
    table = None
    if tie_weights:
        x, table = TiedEmbedding(tokens_in, width, name="token_embedding")(inputs)
    else:
        x = layers.Embedding(tokens_in, width, embeddings_initializer=initial(), name="token_embedding")(inputs)
    if positions == "learned":
        x = PositionEmbedding(length, name="position_embedding")(x)
    x = dropped(x, dropout, "embedding_dropout")
    for number in range(1, blocks + 1):
        block = f"block{number}"
        half = normalization(norm, f"{block}_attention_norm", epsilon)(x)
        if positions == "learned" and shared == heads:
            attention = layers.MultiHeadAttention(
                heads, width // heads, dropout=dropout, kernel_initializer=initial(), name=f"{block}_attention"
            )
            half = attention(half, half, use_causal_mask=True)
        else:
            half = GroupedQueryAttention(
                heads, shared, width // heads, positions == "rotary", dropout, name=f"{block}_attention"
            )(half)
        x = layers.Add(name=f"{block}_attention_add")([x, dropped(half, dropout, f"{block}_attention_dropout")])
        half = normalization(norm, f"{block}_feed_forward_norm", epsilon)(x)
        half = feed_forward(half, block, feed_forward_width or 4 * width, activation)
        x = layers.Add(name=f"{block}_feed_forward_add")([x, dropped(half, dropout, f"{block}_feed_forward_dropout")])
    x = normalization(norm, "final_norm", epsilon)(x)
    return ended(inputs, _logits(x, table, num_outputs), output, _NAME)


def _logits(x: tf.Tensor, table: tf.Tensor | None, num_outputs: int) -> tf.Tensor:
    if table is None:
        return layers.Dense(num_outputs, kernel_initializer=initial(), name="logits")(x)
    return TiedLogits(name="logits")([x, table])


def _check_shared(heads: int, shared: int) -> None:
    if shared < 1 or heads % shared:
        raise StageError(
            f"args.key_value_heads of the model {_NAME} must divide args.heads. Got {shared} and {heads}.",
            code="invalid_argument",
        )
