"""What the Transformers of the zoo share: how ids become vectors, and the two halves of a block."""

from __future__ import annotations

from typing import Literal

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.layers import RMSNormalization, gelu_tanh
from tfopt.backend.models.zoo._parts import ExampleShape
from tfopt.errors import StageError

Activation = Literal["gelu", "gelu_tanh", "relu", "swish"]
"""Of the feed-forward layers: `gelu` is the exact one, of BERT; `gelu_tanh` that of GPT-2."""
Normalization = Literal["layer_norm", "rms_norm"]
INITIAL = 0.02
"""Standard deviation of initial kernels and embeddings, as in BERT and GPT-2."""


def token_input(input_shape: ExampleShape, model: str, vocabulary_size: int | None) -> tuple[tf.Tensor, int]:
    """Input of token ids (positions,), and the number of positions.

    Raises:
        StageError: the examples are no sequences of ids, or nothing says how many tokens there are.
    """
    if isinstance(input_shape, dict) or len(input_shape) != 1:
        raise StageError(
            f"The model {model} expects a sequence of token ids, (positions,); the examples have {input_shape}.",
            "Choose a model that fits the data, or text as data.source.",
            code="incompatible_shapes",
        )
    if vocabulary_size is None:
        raise StageError(
            f"The model {model} needs to know how many tokens there are.",
            "Set model.args.vocabulary_size; data of text, and data of whole numbers, tell it themselves.",
            code="missing_argument",
        )
    return layers.Input(input_shape, name="tokens", dtype="int32"), input_shape[0]


def check_choice(model: str, name: str, value: str, choices: tuple[str, ...]) -> None:
    """Whether an argument is one of its choices.

    Raises:
        StageError: it is not.
    """
    if value not in choices:
        raise StageError(
            f"args.{name} of the model {model} must be one of {', '.join(choices)}. Got {value!r}.",
            code="invalid_argument",
        )


def check_heads(model: str, width: int, heads: int) -> None:
    """Whether heads divide the width.

    Raises:
        StageError: they do not.
    """
    if heads < 1 or width % heads:
        raise StageError(
            f"args.width of the model {model} must be a multiple of args.heads. Got {width} and {heads}.",
            code="invalid_argument",
        )


def initial() -> tf_keras.initializers.Initializer:
    """Initial values of kernels."""
    return tf_keras.initializers.TruncatedNormal(stddev=INITIAL)


def normalization(kind: Normalization, name: str, epsilon: float) -> layers.Layer:
    """A layer that normalizes each vector."""
    if kind == "rms_norm":
        return RMSNormalization(epsilon=epsilon, name=name)
    return layers.LayerNormalization(epsilon=epsilon, name=name)


def feed_forward(x: tf.Tensor, block: str, hidden: int, activation: Activation) -> tf.Tensor:
    """Two Dense layers, `<block>_feed_forward1` with the activation and `<block>_feed_forward2`, as wide as `x`."""
    function = gelu_tanh if activation == "gelu_tanh" else activation
    width = x.shape[-1]
    x = layers.Dense(hidden, function, kernel_initializer=initial(), name=f"{block}_feed_forward1")(x)
    return layers.Dense(width, kernel_initializer=initial(), name=f"{block}_feed_forward2")(x)


def dropped(x: tf.Tensor, share: float, name: str) -> tf.Tensor:
    """`x` after a Dropout layer; `x` itself where nothing is dropped."""
    return layers.Dropout(share, name=name)(x) if share else x
