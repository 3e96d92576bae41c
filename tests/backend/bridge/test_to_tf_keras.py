"""Hand-written Keras 3 models of every kind become equal tf_keras models, live and after a save and a load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.tf

import keras  # noqa: E402
import tf_keras  # noqa: E402
from keras import layers, ops  # noqa: E402

from tests.support.networks.keras3_layers import Mix, Scale, Subclassed  # noqa: E402
from tfopt.backend.bridge import to_tf_keras, variable_pairs  # noqa: E402
from tfopt.backend.bridge.equivalence import TOLERANCE  # noqa: E402
from tfopt.backend.bridge.reading.functionalize import functional  # noqa: E402
from tfopt.backend.equivalence import random_inputs, same_outputs  # noqa: E402


def sequential() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Conv2D(4, 3, strides=2, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3)),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-2),
            layers.DepthwiseConv2D(3, depth_multiplier=2, bias_constraint="non_neg"),
            layers.SeparableConv2D(4, 2),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Flatten(),
            layers.Dropout(0.2, seed=3),
            layers.Dense(3, activation="softmax"),
        ],
        name="net",
    )


def with_operators() -> keras.Model:
    image = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(4, 3, padding="same", name="conv")(image)
    y = ops.relu(x + layers.Conv2D(4, 1, name="side")(image)) * 0.5
    z = ops.transpose(x - 1.0, (0, 3, 1, 2))[:, 1:, ::2]
    z = ops.where(z > 0.1, z, ops.full_like(z, 0.3))
    z = ops.concatenate([ops.reshape(z, (-1, 96)), ops.mean(y, axis=(1, 2))], axis=-1)
    return keras.Model(image, layers.Dense(2, name="head")(ops.gelu(z)), name="operators")


def dict_ports() -> keras.Model:
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    shared = layers.Dense(3, name="shared")
    x = layers.Concatenate(name="both")([shared(left), shared(right)])
    return keras.Model(
        {"right": right, "left": left}, {"z": layers.Dense(1, name="z")(x), "a": layers.Dense(2, name="a")(x)}
    )


def nested() -> keras.Model:
    small = keras.Input((6,), name="small")
    block = keras.Model(small, [layers.Dense(6, name="one")(small), layers.Dense(6, name="two")(small)], name="block")
    base = keras.Sequential(
        [keras.Input((6,)), layers.Dense(6, name="inner"), layers.BatchNormalization(name="norm")], name="base"
    )
    base.trainable = False
    start = keras.Input((6,), name="start")
    one, two = block(base(start, training=False))
    three, four = block(layers.Add(name="sum")([one, two]))
    return keras.Model(start, layers.Dense(2, name="head")(layers.Multiply(name="times")([three, four])), name="outer")


def attention() -> keras.Model:
    tokens = keras.Input((10,), dtype="int32", name="tokens")
    x = layers.Embedding(20, 8, mask_zero=True, name="table")(tokens)
    x = layers.LayerNormalization(name="norm")(x + layers.MultiHeadAttention(2, 4, dropout=0.1, name="heads")(x, x))
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True, recurrent_activation="hard_sigmoid"), name="both")(x)
    x, state = layers.GRU(3, return_sequences=True, return_state=True, name="gru")(x)
    return keras.Model(tokens, [layers.GlobalAveragePooling1D(name="mean")(x), state], name="text")


def masked_merge() -> keras.Model:
    tokens = keras.Input((10,), dtype="int32", name="tokens")
    x = layers.Embedding(20, 8, mask_zero=True, name="table")(tokens)
    x = layers.Add(name="sum")([x, layers.Dense(8, name="dense")(x)])
    return keras.Model(tokens, layers.LSTM(4, name="lstm")(layers.Masking(name="again")(x)), name="masked")


def custom() -> keras.Model:
    start = keras.Input((6,), name="start")
    x = Scale(2.0, name="scale")(start)
    x = Mix(name="mix")(x, other=layers.Dense(4, name="other")(start), share=0.3)
    return keras.Model(start, layers.Dense(2, name="head")(x), name="custom")


def text() -> keras.Model:
    words = layers.TextVectorization(max_tokens=9, output_sequence_length=5, name="words")
    words.adapt(["a cat sat", "a dog ran", "the cat ran"])
    start = keras.Input((1,), dtype="string", name="text")
    return keras.Model(start, layers.Embedding(9, 4, name="table")(words(start)), name="words")


def mixed_precision() -> keras.Model:
    start = keras.Input((6,), name="start")
    x = layers.Dense(8, activation="relu", dtype="mixed_bfloat16", name="half")(start)
    x = layers.Add(name="sum")([x, layers.Dense(8, dtype="float32", name="full")(start)])
    return keras.Model(start, layers.Dense(2, dtype="mixed_float16", name="head")(x), name="mixed")


def time_distributed() -> keras.Model:
    frame = keras.Input((6, 6, 1), name="frame")
    encoder = keras.Model(frame, layers.Flatten()(layers.Conv2D(2, 3, name="conv")(frame)), name="encoder")
    clip = keras.Input((4, 6, 6, 1), name="clip")
    x = layers.TimeDistributed(encoder, name="frames")(clip)
    x = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], return_sequences=True, name="cells")(x)
    return keras.Model(clip, layers.Conv1D(2, 2, name="last")(x), name="clips")


def subclassed() -> keras.Model:
    model = Subclassed(name="own")
    model(np.zeros((2, 5), np.float32))
    return model


MODELS = [
    sequential,
    with_operators,
    dict_ports,
    nested,
    attention,
    masked_merge,
    custom,
    text,
    mixed_precision,
    time_distributed,
    subclassed,
]


def subclassed() -> keras.Model:
    model = Subclassed(name="own")
    model(np.zeros((2, 5), np.float32))
    return model


def scramble(model: keras.Model) -> keras.Model:
    """Gives every weight a random value: zeros and ones would hide a wrong place."""
    random = np.random.default_rng(1)
    # A Normalization computes with what it derived from its weights when it was adapted.
    left = [part for part in model._flatten_layers() if isinstance(part, layers.Normalization)]
    kept = {id(weight) for part in left for weight in part.weights}
    for weight in model.weights:
        if "float" in weight.dtype and id(weight) not in kept:
            weight.assign(random.uniform(0.1, 0.6, weight.shape))
    return model


@pytest.mark.parametrize("build", MODELS, ids=lambda build: build.__name__)
def test_a_model_becomes_an_equal_one(build: Callable[[], keras.Model], tmp_path: Path) -> None:
    model = scramble(build())
    converted = to_tf_keras(model)
    assert isinstance(converted, tf_keras.Model)
    assert converted.name == model.name
    assert {layer.name for layer in model.layers} <= {layer.name for layer in converted.layers}
    pairs = variable_pairs(model, converted)
    assert len(pairs) >= len(model.weights)
    assert all(np.array_equal(np.asarray(variable.value), value.numpy()) for variable, value in pairs)

    model.save(tmp_path / "model.keras")
    again = to_tf_keras(keras.models.load_model(tmp_path / "model.keras"))
    traced = functional(model)
    inputs = random_inputs(traced)
    given = inputs[0] if len(inputs) == 1 else dict(zip((one.name for one in traced.inputs), inputs, strict=True))
    expected, live, loaded = (
        [np.asarray(out) for out in keras.tree.flatten(one(given, training=False))] for one in (model, converted, again)
    )
    assert not same_outputs(expected, live, TOLERANCE)
    assert not same_outputs(expected, loaded, TOLERANCE)


def test_a_traced_model_has_the_same_names_each_time() -> None:
    model = subclassed()
    names = [[layer.name for layer in to_tf_keras(model).layers] for _ in range(2)]
    assert names[0] == names[1] == ["input", "first", "drop", "second", "mean", "add"]
