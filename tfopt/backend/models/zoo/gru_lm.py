"""A GRU that generates text, its state the memory."""

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
    """Gated recurrent units (Cho et al. 2014, arXiv:1406.1078), as a language model.

    Args:
        input_shape: (positions,) of token ids.
        num_outputs: tokens to choose from at each position.
        vocabulary_size: tokens that may come in; as many as go out by default.
        width: of the embedding.
        units: of each GRU.
        depth: number of GRUs.
        tie_weights: the table of the embedding is that of the last layer, too; needs as many units as width.
        dropout: share dropped in training, in front of and behind each GRU.
        output: what follows the layer `logits`.
    """
    return language_model(
        "gru_lm",
        layers.GRU,
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
