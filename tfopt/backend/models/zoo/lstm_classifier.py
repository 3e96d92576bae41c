"""An LSTM that classifies texts."""

from __future__ import annotations

from typing import Literal

import tf_keras
from tf_keras import layers

from tfopt.backend.data.splits import OutputSizes
from tfopt.backend.models.zoo._parts import ExampleShape, Output, classifier
from tfopt.backend.models.zoo._recurrent import recurrent
from tfopt.backend.models.zoo._transformer import check_choice, dropped, initial, known_vocabulary, token_input

_NAME = "lstm_classifier"


def build(
    input_shape: ExampleShape,
    num_outputs: int | OutputSizes,
    *,
    vocabulary_size: int | None = None,
    width: int = 64,
    units: int = 64,
    depth: int = 1,
    bidirectional: bool = False,
    pooling: Literal["mean", "last"] = "mean",
    mask_padding: bool = False,
    dropout: float = 0.1,
    output: Output = "softmax",
) -> tf_keras.Model:
    """Long short-term memory (Hochreiter and Schmidhuber 1997), and the mean or the last of its vectors.

    Args:
        input_shape: (positions,) of token ids; 0 is padding.
        num_outputs: classes.
        vocabulary_size: tokens; known from the data.
        width: of the embedding.
        units: of each LSTM.
        depth: number of LSTMs.
        bidirectional: read texts from both ends; tfmot does not prune such a layer.
        pooling: mean of the vectors of all positions, or the last vector.
        mask_padding: leave padding out. TFLite's LSTM operator knows no padding: an int8 file then has each step of
            its own, and no float file has that operator.
        dropout: share dropped in training.
        output: what follows the layer `logits`.
    """
    inputs, _ = token_input(input_shape, _NAME)
    tokens = known_vocabulary(_NAME, vocabulary_size)
    check_choice(_NAME, "pooling", pooling, ("mean", "last"))
    embedding = layers.Embedding(
        tokens, width, embeddings_initializer=initial(), mask_zero=mask_padding, name="token_embedding"
    )
    x = dropped(embedding(inputs), dropout, "embedding_dropout")
    if pooling == "mean":
        x = recurrent(x, layers.LSTM, units, depth, dropout, bidirectional=bidirectional)
        x = layers.GlobalAveragePooling1D(name="mean")(x)
    else:
        x = recurrent(x, layers.LSTM, units, depth - 1, dropout, bidirectional=bidirectional)
        last = layers.LSTM(units, name=f"lstm{depth}_cell" if bidirectional else f"lstm{depth}")
        x = (layers.Bidirectional(last, name=f"lstm{depth}") if bidirectional else last)(x)
        x = dropped(x, dropout, f"lstm{depth}_dropout")
    return classifier(inputs, x, num_outputs, output, _NAME)
