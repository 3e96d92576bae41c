"""Models that compute position after position give what they give at once; others are refused by layer and reason."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from tests.support.language_models import (
    LENGTH,
    TOKENS,
    WIDTH,
    keras_hub_decoder,
    keras_hub_gpt_2,
    recurrent,
    with_cached_attention,
    with_layer,
)
from tfopt.errors import ExportError

pytestmark = pytest.mark.tf


def _gpt(**keys: Any) -> Any:
    from tfopt.backend.models.zoo import gpt

    return gpt.build((LENGTH,), TOKENS, width=WIDTH, blocks=1, heads=4, **keys)


def _own_classes() -> Any:
    """The miniature GPT of the Keras examples: positions and masks are made inside of own layers."""
    import tensorflow as tf
    from tf_keras import Input, Model, Sequential, layers

    class Positions(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.places = layers.Embedding(TOKENS, WIDTH), layers.Embedding(LENGTH, WIDTH)

        def call(self, ids: Any) -> Any:
            return self.tokens(ids) + self.places(tf.range(0, tf.shape(ids)[-1], 1))

    class Block(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.attention, self.norm = layers.MultiHeadAttention(2, 4), layers.LayerNormalization()
            self.feed_forward = Sequential([layers.Dense(8, "relu"), layers.Dense(WIDTH)])

        def call(self, x: Any) -> Any:
            places = tf.range(tf.shape(x)[1])
            mask = (places[:, tf.newaxis] >= places)[tf.newaxis]
            return self.norm(x + self.attention(x, x, attention_mask=mask) + self.feed_forward(x))

    tokens = Input((LENGTH,), dtype="int32")
    return Model(tokens, layers.Dense(TOKENS)(Block()(Positions()(tokens))))


def _positions_as_operators() -> Any:
    import tensorflow as tf
    from tf_keras import Input, Model, layers

    tokens = Input((LENGTH,), dtype="int32")
    x = layers.Embedding(TOKENS, WIDTH)(tokens) + layers.Embedding(LENGTH, WIDTH)(tf.range(tf.shape(tokens)[1]))
    return Model(tokens, layers.Softmax()(layers.Dense(TOKENS)(layers.Attention()([x, x], use_causal_mask=True))))


def _keras_3() -> Any:
    import keras

    from tfopt.bridge import to_tf_keras

    tokens = keras.Input((LENGTH,), dtype="int32")
    x = keras.layers.Embedding(TOKENS, WIDTH)(tokens)
    x = x + keras.layers.GroupQueryAttention(4, 4, 2)(x, x, use_causal_mask=True)
    x = keras.layers.LSTM(6, return_sequences=True)(x)
    return to_tf_keras(keras.Model(tokens, keras.layers.Dense(TOKENS)(x)))


GENERATIVE = {
    "gpt": _gpt,
    "llama": lambda: _gpt(key_value_heads=2, positions="rotary", norm="rms_norm"),
    "own classes": _own_classes,
    "operators": _positions_as_operators,
    "lstm": lambda: recurrent("LSTM", mask_zero=True),
    "gru": lambda: recurrent("GRU"),
    "simple rnn": lambda: recurrent("SimpleRNN"),
    "convolution": lambda: with_layer(_layers().Conv1D(6, 3, padding="causal", dilation_rate=2, activation="relu")),
    "keras 3": _keras_3,
    "own cache": with_cached_attention,
    "keras hub": keras_hub_gpt_2,
    **{
        name: partial(keras_hub_decoder, f"{name}CausalLM", **sizes)
        for name, sizes in {
            "Llama": {"num_query_heads": 2, "num_key_value_heads": 1},
            "Mistral": {"num_query_heads": 2, "num_key_value_heads": 1, "sliding_window": 4},
            "Gemma": {"num_query_heads": 2, "num_key_value_heads": 1, "head_dim": 4},
            "Qwen": {"num_query_heads": 2, "num_key_value_heads": 1},
            "Qwen3": {"num_query_heads": 2, "num_key_value_heads": 1, "head_dim": 4},
            "Phi3": {"num_query_heads": 2, "num_key_value_heads": 1},
            "Bloom": {"num_heads": 2},
        }.items()
    },
    "keras hub of any length": lambda: keras_hub_gpt_2(open_length=True),
}


def _layers() -> Any:
    from tf_keras import layers

    return layers


_MORE = (
    "llama", "gru", "simple rnn", "keras hub", "keras hub of any length",
    "Llama", "Mistral", "Gemma", "Qwen", "Qwen3", "Phi3", "Bloom",
)  # fmt: skip
"""Like others, and seconds each."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in _MORE else name for name in GENERATIVE]
)
def test_a_model_computes_a_few_positions_at_a_time(name: str) -> None:
    import tensorflow as tf

    from tfopt.backend.generation.forward import ends_in_softmax, forward
    from tfopt.backend.generation.plan import plan_of
    from tfopt.backend.generation.signatures import inputs_of
    from tfopt.backend.generation.step import Step

    model = GENERATIVE[name]()
    tokens = np.random.default_rng(0).integers(1, TOKENS, (1, LENGTH)).astype(np.int32)
    inputs = inputs_of(model, tf.constant(tokens))
    plan = plan_of(model, [np.asarray(each) for each in inputs])
    assert plan.sequences == (True,)
    states, at, found = None, 0, []
    for length in (5, 3, 1, 1, 1, 1):
        step = Step(tf.range(at, at + length), length, LENGTH, states=states)
        found.append(forward(model, plan, [each[:, at : at + length] for each in inputs], step, logits=True)[0])
        states, at = step.new, at + length
    logits = tf.concat(found, 1)
    outputs = tf.nn.softmax(logits) if ends_in_softmax(plan) else logits
    assert np.abs(outputs - plan.outputs[0]).max() < 1e-5


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "attention to later positions": (
        lambda: _without_a_mask(),
        r"full \(MultiHeadAttention\).*depends on later ones; attention needs use_causal_mask=True",
    ),
    "two directions": (
        lambda: with_layer(_layers().Bidirectional(_layers().GRU(4, return_sequences=True), name="both")),
        r"both \(Bidirectional\).*reads the sequence from its end",
    ),
    "pooling": (
        lambda: with_layer(_layers().AveragePooling1D(3, 1, "same", name="pool")),
        r"pool \(AveragePooling1D\).*depends on later ones",
    ),
    "a sum over what came before": (
        lambda: with_layer(_layers().Lambda(lambda x: _cumulative(x), name="sums")),
        r"sums \(Lambda\).*depends on earlier ones, and tfopt knows a state for attention",
    ),
    "no positions left": (
        lambda: with_layer(_layers().Flatten(name="flat")),
        r"flat \(Flatten\).*depends on earlier ones",
    ),
    "another length": (
        lambda: with_layer(_layers().Reshape((LENGTH // 2, 2 * WIDTH), name="pairs")),
        r"pairs \(Reshape\).*on a part of the sequence it fails",
    ),
}


def _without_a_mask() -> Any:
    from tf_keras import Input, Model

    tokens = Input((LENGTH,), dtype="int32")
    x = _layers().Embedding(TOKENS, WIDTH)(tokens)
    return Model(tokens, _layers().Dense(TOKENS)(_layers().MultiHeadAttention(2, 4, name="full")(x, x)))


def _cumulative(x: Any) -> Any:
    import tensorflow as tf

    return tf.cumsum(x, axis=1)


@pytest.mark.parametrize("name", REFUSED)
def test_what_mixes_positions_otherwise_is_named(name: str) -> None:
    from tfopt.backend.generation.plan import plan_of

    build, message = REFUSED[name]
    tokens = np.random.default_rng(0).integers(1, TOKENS, (1, LENGTH)).astype(np.int32)
    with pytest.raises(ExportError, match=message) as raised:
        plan_of(build(), [tokens])
    assert raised.value.code == "not_stepwise"


def test_a_model_is_left_as_it_was() -> None:
    from tfopt.backend.generation.plan import plan_of

    model = recurrent("LSTM")
    tokens = np.ones((2, LENGTH), np.int32)
    before = model(tokens).numpy()
    plan_of(model, [tokens[:1]])
    assert np.array_equal(model(tokens).numpy(), before)
    assert all("call" not in vars(layer) for layer in model.layers)
