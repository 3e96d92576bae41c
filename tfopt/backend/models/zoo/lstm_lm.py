"""An LSTM that generates text, its state the memory."""

from __future__ import annotations

import tf_keras
from tf_keras import layers

from tfopt.backend.models.zoo._parts import ExampleShape, Output
from tfopt.backend.models.zoo._recurrent import language_model


def build(
    input_shape: ExampleShape,
    num_outputs: int,
    *,
    vocabulary_size: int | None = None,
    width: int = 128,
    units: int = 256,
    depth: int = 1,
    tie_weights: bool = False,
    dropout: float = 0.1,
    output: Output = "softmax",
) -> tf_keras.Model:
    """Long short-term memory (Hochreiter and Schmidhuber 1997), as a language model.

    Args:
        input_shape: (positions,) of token ids.
        num_outputs: tokens to choose from at each position.
        vocabulary_size: tokens that may come in; as many as go out by default.
        width: of the embedding.
        units: of each LSTM.
        depth: number of LSTMs.
        tie_weights: the table of the embedding is that of the last layer, too; needs as many units as width.
        dropout: share dropped in training, in front of and behind each LSTM.
        output: what follows the layer `logits`.
    """
    return language_model(
        "lstm_lm",
        layers.LSTM,
        input_shape,
        num_outputs,
        vocabulary_size,
        width,
        units,
        depth,
        tie_weights,
        dropout,
        output,
    )
