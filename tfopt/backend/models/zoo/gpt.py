"""A decoder that generates text, as GPT-2 or, with rotary positions, RMS norm and grouped heads, as Llama."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.layers import GroupedQueryAttention, PositionEmbedding, TiedEmbedding, TiedLogits
from tfopt.backend.models.pretrained import gpt2
from tfopt.backend.models.pretrained.assign import assign, open_pretrained
from tfopt.backend.models.pretrained.layout import Sizes
from tfopt.backend.models.zoo._parts import ExampleShape, Output, ended
from tfopt.backend.models.zoo._transformer import (
    Activation,
    Normalization,
    check_choice,
    check_heads,
    dropped,
    initial,
    normalization,
    pre_norm_block,
    refuse_argument,
    token_input,
)
from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.errors import StageError

_NAME = "gpt"
_LAYOUTS = {"gpt2": gpt2.LAYOUT}


def build(
    input_shape: ExampleShape,
    num_outputs: int,
    *,
    vocabulary_size: int | None = None,
    tokenizer: Tokenizer | None = None,
    weights: str | None = None,
    keep_blocks: Sequence[int] | None = None,
    width: int | None = None,
    blocks: int | None = None,
    heads: int | None = None,
    key_value_heads: int | None = None,
    feed_forward_width: int | None = None,
    positions: Literal["learned", "rotary"] = "learned",
    norm: Normalization = "layer_norm",
    activation: Activation | None = None,
    tie_weights: bool = True,
    dropout: float = 0.1,
    output: Output = "softmax",
) -> tf_keras.Model:
    """A causal language model with the normalization before each half of a block (Radford et al. 2019).

    Args:
        input_shape: (positions,) of token ids.
        num_outputs: tokens to choose from at each position.
        vocabulary_size: tokens that may come in; as many as go out by default.
        tokenizer: of the data; finds the row of each token in the folder.
        weights: folder with `config.json` and `model.safetensors` of GPT-2, relative to the recipe; or `package:folder`
            of an installed package. It says all sizes.
        keep_blocks: numbers of the folder's blocks that are kept, from 1; all by default.
        width: of the vectors; 128 by default.
        blocks: number of them; 4 by default.
        heads: of attention; 4 by default.
        key_value_heads: heads of keys and values, each shared by several of the queries (Ainslie et al. 2023,
            arXiv:2305.13245); as many as `heads` by default.
        feed_forward_width: of the hidden layer in a block; four times `width` by default.
        positions: a learned vector for each, or rotary (Su et al. 2021, arXiv:2104.09864).
        norm: LayerNormalization, or the root mean square.
        activation: of the feed-forward layers; gelu_tanh by default.
        tie_weights: the table of the embedding is that of the last layer, too; not for classes that are no tokens.
        dropout: share dropped in training: of vectors, and of attention weights.
        output: what follows the layer `logits`.
    """
    inputs, length = token_input(input_shape, _NAME)
    check_choice(_NAME, "positions", positions, ("learned", "rotary"))
    check_choice(_NAME, "norm", norm, ("layer_norm", "rms_norm"))
    given = {"width": width, "blocks": blocks, "heads": heads, "hidden": feed_forward_width, "activation": activation}
    stored = None
    if weights is None:
        refuse_argument(_NAME, "keep_blocks", keep_blocks, "there are no weights")
        tokens_in, tokens_out = vocabulary_size or num_outputs, num_outputs
        if tie_weights:  # A token that is only ever the last one is no input, and the first one no target.
            tokens_in = tokens_out = max(tokens_in, tokens_out)
        sizes = _chosen(given, length, tokens_in)
    else:
        for name, value, wanted in (("positions", positions, "learned"), ("norm", norm, "layer_norm")):
            refuse_argument(_NAME, name, None if value == wanted else value, f"the weights are of GPT-2, with {wanted}")
        refuse_argument(_NAME, "key_value_heads", key_value_heads, "each head of GPT-2 has its own keys and values")
        stored = open_pretrained(weights, _LAYOUTS, _NAME, given, length, keep_blocks, tokenizer, vocabulary_size)
        sizes = stored.sizes
        tokens_in = tokens_out = sizes.tokens
    shared = sizes.heads if key_value_heads is None else key_value_heads
    _check(sizes, shared)
    table = None
    if tie_weights:
        x, table = TiedEmbedding(tokens_in, sizes.width, name="token_embedding")(inputs)
    else:
        x = layers.Embedding(tokens_in, sizes.width, embeddings_initializer=initial(), name="token_embedding")(inputs)
    if positions == "learned":
        x = PositionEmbedding(length, name="position_embedding")(x)
    x = dropped(x, dropout, "embedding_dropout")
    for number in range(1, sizes.blocks + 1):
        x = _block(x, f"block{number}", sizes, shared, positions == "rotary", norm, dropout)
    x = normalization(norm, "final_norm", sizes.epsilon)(x)
    if table is None:
        logits = layers.Dense(tokens_out, kernel_initializer=initial(), name="logits")(x)
    else:
        logits = TiedLogits(name="logits")([x, table])
    model = ended(inputs, logits, output, _NAME)
    if stored is not None:
        assign(model, stored)
        if table is None:
            model.get_layer("logits").kernel.assign(tf.transpose(model.get_layer("token_embedding").embeddings))
    return model


def _chosen(given: Mapping[str, Any], length: int, tokens: int) -> Sizes:
    """The sizes of a model without a folder."""
    chosen = {name: value for name, value in given.items() if value is not None}
    default = {"width": 128, "blocks": 4, "heads": 4, "activation": "gelu_tanh", **chosen}
    return Sizes(positions=length, tokens=tokens, epsilon=1e-5, **{"hidden": 4 * default["width"], **default})


def _block(
    x: tf.Tensor, block: str, sizes: Sizes, shared: int, rotary: bool, norm: Normalization, dropout: float
) -> tf.Tensor:
    """A block of GPT-2, or of Llama with grouped heads or rotary positions."""
    size, name = sizes.width // sizes.heads, f"{block}_attention"

    def attend(half: tf.Tensor) -> tf.Tensor:
        if rotary or shared != sizes.heads:
            return GroupedQueryAttention(
                sizes.heads, shared, size, rotary, dropout, kernel_initializer=initial(), name=name
            )(half)
        attention = layers.MultiHeadAttention(
            sizes.heads, size, dropout=dropout, kernel_initializer=initial(), name=name
        )
        return attention(half, half, use_causal_mask=True)

    return pre_norm_block(x, block, attend, sizes.hidden, sizes.activation, dropout, norm, sizes.epsilon)


def _check(sizes: Sizes, shared: int) -> None:
    check_heads(_NAME, sizes.width, sizes.heads)
    if shared < 1 or sizes.heads % shared:
        raise StageError(
            f"args.key_value_heads of the model {_NAME} must divide args.heads. Got {shared} and {sizes.heads}.",
            code="invalid_argument",
        )
