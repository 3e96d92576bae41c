"""What the recurrent models of the zoo share."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.layers import TiedEmbedding, TiedLogits
from tfopt.backend.models.zoo._parts import ExampleShape, Output, ended
from tfopt.backend.models.zoo._transformer import dropped, initial, token_input
from tfopt.errors import StageError


def language_model(
    model: str,
    kind: Callable[..., layers.Layer],
    input_shape: ExampleShape,
    num_outputs: int,
    vocabulary_size: int | None,
    width: int,
    units: int,
    depth: int,
    tie_weights: bool,
    dropout: float,
    output: Output,
) -> tf_keras.Model:
    """An embedding, recurrent layers `<model's kind>1`, `2`, ... and the layer `logits` for each position.

    Args:
        model: its name.
        kind: LSTM or GRU.
        input_shape: (positions,) of token ids.
        num_outputs: tokens to choose from at each position.
        vocabulary_size: tokens that may come in; as many as go out by default.
        width: of the embedding.
        units: of each recurrent layer.
        depth: number of recurrent layers.
        tie_weights: the table of the embedding is that of the last layer, too; needs as many units as width.
        dropout: share dropped in training in front of and behind each recurrent layer.
        output: what follows the layer `logits`.

    Raises:
        StageError: the examples are no sequences, or tied weights do not fit.
    """
    inputs, _ = token_input(input_shape, model)
    tokens = vocabulary_size or num_outputs
    table = None
    if tie_weights:
        if width != units:
            raise StageError(
                f"args.tie_weights of the model {model} needs args.units as large as args.width. "
                f"Got {units} and {width}.",
                code="invalid_argument",
            )
        tokens = num_outputs = max(tokens, num_outputs)
        x, table = TiedEmbedding(tokens, width, name="token_embedding")(inputs)
    else:
        x = layers.Embedding(tokens, width, embeddings_initializer=initial(), name="token_embedding")(inputs)
    x = dropped(x, dropout, "embedding_dropout")
    x = recurrent(x, kind, units, depth, dropout)
    if table is None:
        logits: tf.Tensor = layers.Dense(num_outputs, name="logits")(x)
    else:
        logits = TiedLogits(name="logits")([x, table])
    return ended(inputs, logits, output, model)


def recurrent(
    x: tf.Tensor,
    kind: Callable[..., layers.Layer],
    units: int,
    depth: int,
    dropout: float,
    *,
    bidirectional: bool = False,
) -> tf.Tensor:
    """Recurrent layers that return a vector for each position, each with a Dropout layer behind it."""
    name = "gru" if kind is layers.GRU else "lstm"
    for number in range(1, depth + 1):
        layer = kind(units, return_sequences=True, name=f"{name}{number}_cell" if bidirectional else f"{name}{number}")
        x = (layers.Bidirectional(layer, name=f"{name}{number}") if bidirectional else layer)(x)
        x = dropped(x, dropout, f"{name}{number}_dropout")
    return x
