"""What the Transformers of the zoo share: how ids become vectors, and the two halves of a block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.layers import PositionEmbedding, RMSNormalization, gelu_tanh
from tfopt.backend.models.pretrained.layout import Sizes
from tfopt.backend.models.zoo._parts import ExampleShape
from tfopt.errors import StageError

Activation = Literal["gelu", "gelu_tanh", "relu", "swish"]
"""Of the feed-forward layers: `gelu` is the exact one, of BERT; `gelu_tanh` that of GPT-2."""
Normalization = Literal["layer_norm", "rms_norm"]
Pooling = Literal["cls", "mean"]
"""How the vectors of a text become one: the first, or their mean without padding."""
INITIAL = 0.02
"""Standard deviation of initial kernels and embeddings, as in BERT and GPT-2."""


def token_input(input_shape: ExampleShape, model: str) -> tuple[tf.Tensor, int]:
    """Input of token ids (positions,), and the number of positions.

    Raises:
        StageError: the examples are no sequences of ids.
    """
    if isinstance(input_shape, dict) or len(input_shape) != 1:
        raise StageError(
            f"The model {model} expects a sequence of token ids, (positions,); the examples have {input_shape}.",
            "Choose a model that fits the data, or data of texts.",
            code="incompatible_shapes",
        )
    return layers.Input(input_shape, name="tokens", dtype="int32"), input_shape[0]


def known_vocabulary(model: str, vocabulary_size: int | None) -> int:
    """The number of tokens.

    Raises:
        StageError: nothing says how many there are.
    """
    if vocabulary_size is None:
        raise StageError(
            f"The model {model} needs to know how many tokens there are.",
            "Set model.args.vocabulary_size; data of texts, and of whole numbers, specify it.",
            code="missing_argument",
        )
    return vocabulary_size


def refuse_argument(model: str, name: str, value: object, why: str) -> None:
    """Whether an argument that has no meaning here is left out.

    Raises:
        StageError: it is not.
    """
    if value is not None:
        raise StageError(
            f"args.{name} of the model {model} is {value!r}, which has no meaning: {why}.",
            "Remove it.",
            code="meaningless_key",
        )


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


def feed_forward(x: tf.Tensor, block: str, hidden: int, activation: str) -> tf.Tensor:
    """Two Dense layers, `<block>_feed_forward1` with the activation and `<block>_feed_forward2`, as wide as `x`."""
    function = gelu_tanh if activation == "gelu_tanh" else activation
    width = x.shape[-1]
    x = layers.Dense(hidden, function, kernel_initializer=initial(), name=f"{block}_feed_forward1")(x)
    return layers.Dense(width, kernel_initializer=initial(), name=f"{block}_feed_forward2")(x)


def encoder_block(x: tf.Tensor, block: str, sizes: Sizes, dropout: float) -> tf.Tensor:
    """A block of BERT: attention and feed-forward layers, with the normalization behind each (Vaswani et al. 2017).

    Padding is masked by the mask that Keras passes along from the embedding.

    Args:
        x: vectors (batch, positions, width).
        block: how the names of its layers begin.
        sizes: of the model.
        dropout: share dropped in training: of vectors, and of attention weights.
    """
    attention = layers.MultiHeadAttention(
        sizes.heads,
        sizes.width // sizes.heads,
        dropout=dropout,
        kernel_initializer=initial(),
        name=f"{block}_attention",
    )
    half = dropped(attention(x, x), dropout, f"{block}_attention_dropout")
    x = layers.Add(name=f"{block}_attention_add")([x, half])
    x = layers.LayerNormalization(epsilon=sizes.epsilon, name=f"{block}_attention_norm")(x)
    half = dropped(feed_forward(x, block, sizes.hidden, sizes.activation), dropout, f"{block}_feed_forward_dropout")
    x = layers.Add(name=f"{block}_feed_forward_add")([x, half])
    return layers.LayerNormalization(epsilon=sizes.epsilon, name=f"{block}_feed_forward_norm")(x)


def embedded(inputs: Sequence[tf.Tensor], length: int, sizes: Sizes, segments: int = 2) -> tf.Tensor:
    """Vectors of an encoder (batch, positions, width): tokens, segments and positions added, then normalized.

    Args:
        inputs: token ids, 0 for padding; and segment ids, where there are any.
        length: number of positions.
        sizes: of the model.
        segments: number of them.
    """
    embedding = layers.Embedding(
        sizes.tokens, sizes.width, embeddings_initializer=initial(), mask_zero=True, name="token_embedding"
    )
    x = embedding(inputs[0])
    if len(inputs) > 1:
        added = layers.Embedding(segments, sizes.width, embeddings_initializer=initial(), name="segment_embedding")
        x = layers.Add(name="embedding_add")([x, added(inputs[1])])
    x = PositionEmbedding(length, name="position_embedding")(x)
    return layers.LayerNormalization(epsilon=sizes.epsilon, name="embedding_norm")(x)


def pre_norm_block(
    x: tf.Tensor,
    block: str,
    attend: Callable[[tf.Tensor], tf.Tensor],
    hidden: int,
    activation: str,
    dropout: float,
    norm: Normalization = "layer_norm",
    epsilon: float = 1e-5,
) -> tf.Tensor:
    """A block with the normalization before each half, as in GPT-2 (Radford et al. 2019).

    Args:
        x: vectors (batch, positions, width).
        block: how the names of its layers begin.
        attend: applies the attention layer, `<block>_attention`.
        hidden: width of the hidden layer.
        activation: of the feed-forward layers.
        dropout: share dropped in training after each half.
        norm: of the vectors.
        epsilon: of the normalization.
    """
    half = attend(normalization(norm, f"{block}_attention_norm", epsilon)(x))
    x = layers.Add(name=f"{block}_attention_add")([x, dropped(half, dropout, f"{block}_attention_dropout")])
    half = feed_forward(normalization(norm, f"{block}_feed_forward_norm", epsilon)(x), block, hidden, activation)
    return layers.Add(name=f"{block}_feed_forward_add")([x, dropped(half, dropout, f"{block}_feed_forward_dropout")])


def pooled(x: tf.Tensor, pooling: Pooling) -> tf.Tensor:
    """One vector (batch, width) for the vectors of a text (batch, positions, width)."""
    if pooling == "mean":
        return layers.GlobalAveragePooling1D(name="mean")(x)
    first = layers.Cropping1D((0, x.shape[1] - 1), name="first")(x)
    return layers.Reshape((x.shape[-1],), name="first_vector")(first)


def dropped(x: tf.Tensor, share: float, name: str) -> tf.Tensor:
    """`x` after a Dropout layer; `x` itself where nothing is dropped."""
    return layers.Dropout(share, name=name)(x) if share else x
