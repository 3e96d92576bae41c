"""A small Transformer that classifies texts: the encoder of BERT, mean of its vectors, from scratch."""

from __future__ import annotations

import tf_keras

from tfopt.backend.data.splits import OutputSizes
from tfopt.backend.models.pretrained.layout import Sizes
from tfopt.backend.models.zoo._parts import ExampleShape, Output, classifier
from tfopt.backend.models.zoo._transformer import (
    Activation,
    Pooling,
    check_choice,
    check_heads,
    dropped,
    embedded,
    encoder_block,
    known_vocabulary,
    pooled,
    token_input,
)

_NAME = "transformer_classifier"


def build(
    input_shape: ExampleShape,
    num_outputs: int | OutputSizes,
    *,
    vocabulary_size: int | None = None,
    width: int = 64,
    blocks: int = 2,
    heads: int = 4,
    feed_forward_width: int | None = None,
    pooling: Pooling = "mean",
    activation: Activation = "relu",
    dropout: float = 0.1,
    freeze_tokens: bool = False,
    output: Output = "softmax",
) -> tf_keras.Model:
    """The encoder of "Attention is all you need" (Vaswani et al. 2017, arXiv:1706.03762) with learned positions.

    Args:
        input_shape: (positions,) of token ids; 0 is padding.
        num_outputs: classes.
        vocabulary_size: tokens; known from the data.
        width: of the vectors.
        blocks: number of them.
        heads: of attention.
        feed_forward_width: of the hidden layer in a block; twice `width` by default.
        pooling: mean of all vectors but those of padding, or the first one (cls).
        activation: of the feed-forward layers.
        dropout: share dropped in training.
        freeze_tokens: leave the table of tokens as it begins: that of a teacher, by the stage `initialize`.
        output: what follows the layer `logits`.
    """
    inputs, length = token_input(input_shape, _NAME)
    tokens = known_vocabulary(_NAME, vocabulary_size)
    check_choice(_NAME, "pooling", pooling, ("cls", "mean"))
    check_heads(_NAME, width, heads)
    sizes = Sizes(width, blocks, heads, feed_forward_width or 2 * width, length, tokens, activation, 1e-6)
    x = dropped(embedded([inputs], length, sizes), dropout, "embedding_dropout")
    for number in range(1, blocks + 1):
        x = encoder_block(x, f"block{number}", sizes, dropout)
    x = dropped(pooled(x, pooling), dropout, "dropout")
    model = classifier(inputs, x, num_outputs, output, _NAME)
    model.get_layer("token_embedding").trainable = not freeze_tokens
    return model
