"""tf_keras models as Keras 3 models: equal weights and answers, or an error that names the layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

import tfopt
from tests.support.networks.layers import Scale
from tfopt.errors import StageError

pytestmark = pytest.mark.tf


def images() -> Any:
    inputs = layers.Input((12, 12, 3), name="image")
    x = layers.Conv2D(6, 3, use_bias=False, kernel_regularizer="l2", name="conv")(layers.Rescaling(1 / 255)(inputs))
    x = layers.ReLU(6.0)(layers.BatchNormalization(axis=[3], momentum=0.9, epsilon=1e-4)(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(x)
    x = layers.Activation("swish")(layers.SeparableConv2D(4, 3, name="separable")(x))
    side = layers.LeakyReLU(alpha=0.1)(layers.Conv2D(4, 3, padding="same")(x))
    x = layers.MaxPooling2D()(layers.Add()([x, side]))
    x = layers.PReLU(shared_axes=[1, 2])(layers.Conv2DTranspose(3, 2, strides=2)(x))
    x = layers.Reshape((3,))(layers.GlobalAveragePooling2D(keepdims=True)(x))
    return tf_keras.Model(inputs, [layers.Dense(4, activation="softmax", name="out")(x), layers.Flatten()(side)])


def sequences() -> Any:
    words = layers.Input((7,), dtype="int32", name="words")
    x = layers.Embedding(20, 8, mask_zero=True, input_length=7, name="table")(words)
    x = layers.Bidirectional(layers.LSTM(5, return_sequences=True, name="cell"), name="both")(x)
    x = layers.LayerNormalization(axis=[-1])(layers.GRU(6, return_sequences=True)(x))
    x = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    x = layers.TimeDistributed(layers.Dense(4, activation="gelu"))(x)
    plain = layers.Conv1D(4, 3, padding="causal")(layers.Embedding(20, 4)(words))
    pooled = [layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(plain)]
    return tf_keras.Model(words, layers.Concatenate()(pooled))


def operators() -> Any:
    left, right = layers.Input((4, 4, 2), name="left"), layers.Input((4, 4, 2), name="right")
    inner = tf_keras.Sequential([layers.InputLayer((4, 4, 2)), layers.Conv2D(2, 1, name="inside")], name="inner")
    x = tf.nn.relu(inner(left) - 2.0 * inner(right)) + 1.0
    x = tf.concat([x, tf.reduce_mean(x, axis=[1], keepdims=True) + x], axis=-1)
    return tf_keras.Model({"left": left, "right": right}, {"total": tf.reshape(x, (-1, 64))[:, 3:40]})


def preprocessing() -> Any:
    normalization = layers.Normalization(axis=-1, name="normal")
    normalization.adapt(np.random.RandomState(0).rand(20, 3) * 5)
    return tf_keras.Sequential([layers.InputLayer((3,)), normalization, layers.Dropout(0.3), layers.Dense(2)])


MODELS = {"images": images, "sequences": sequences, "operators": operators, "preprocessing": preprocessing}


@pytest.mark.parametrize("name", list(MODELS))
def test_a_tf_keras_model_becomes_a_keras_3_model(name: str, tmp_path: Path) -> None:
    model = MODELS[name]()
    random = np.random.RandomState(1)
    for weight in model.trainable_weights:
        weight.assign(random.uniform(-0.5, 0.5, weight.shape))
    made = tfopt.bridge.to_keras(model)
    assert isinstance(made, keras.Model)
    assert made.count_params() == model.count_params()
    assert {layer.name for layer in model.layers if layer.weights} <= {layer.name for layer in made.layers}
    made.save(tmp_path / "made.keras")
    again = keras.models.load_model(tmp_path / "made.keras")
    assert all(np.array_equal(old, new) for old, new in zip(made.get_weights(), again.get_weights(), strict=True))


def test_there_and_back_again() -> None:
    inputs = keras.Input((6,), name="inputs")
    x = keras.layers.Dense(4, activation="hard_silu", name="first")(inputs)
    x = keras.ops.logaddexp(x, keras.ops.flip(x, -1))
    model = keras.Model(inputs, keras.layers.Dense(2, name="last")(x))
    back = tfopt.bridge.to_keras(tfopt.bridge.to_tf_keras(model))
    values = np.random.RandomState(0).rand(5, 6).astype(np.float32)
    np.testing.assert_allclose(back(values), model(values), atol=1e-6)
    assert back.get_layer("first").activation is keras.activations.hard_silu


def test_attention_of_keras_3_goes_there_and_back() -> None:
    inputs = keras.Input((5, 4), name="rows")
    attention = keras.layers.MultiHeadAttention(2, 3, name="attention")(inputs, inputs)
    model = keras.Model(inputs, keras.layers.Softmax(name="share")(attention))
    again = tfopt.bridge.to_keras(tfopt.bridge.to_tf_keras(model))
    rows = np.random.default_rng(0).normal(size=(3, 5, 4)).astype(np.float32)
    np.testing.assert_allclose(again(rows), model(rows), atol=1e-6)


def test_settings_of_training_come_along() -> None:
    model = images()
    model.get_layer("conv").trainable = False
    made = tfopt.bridge.to_keras(model)
    assert not made.get_layer("conv").trainable
    assert made.get_layer("conv").kernel_regularizer is not None
    assert len(made.trainable_weights) == len(model.trainable_weights)
    assert tfopt.bridge.to_keras(made) is made


def test_spatial_dropout_keeps_its_rate_and_drops_whole_maps() -> None:
    image = layers.Input((3, 4, 4, 50))
    rows = layers.Reshape((-1, 50))(layers.SpatialDropout3D(0.2, name="volumes")(image))
    maps = layers.SpatialDropout2D(0.4, name="maps")(layers.Reshape((12, 4, 50))(image))
    model = tf_keras.Model(image, [layers.SpatialDropout1D(0.5, seed=1, name="rows")(rows), maps])
    made = tfopt.bridge.to_keras(model)
    assert [made.get_layer(name).rate for name in ("volumes", "maps", "rows")] == [0.2, 0.4, 0.5]
    dropped = np.asarray(made(np.ones((2, 3, 4, 4, 50), np.float32), training=True)[1] == 0)
    np.testing.assert_array_equal(dropped.all(axis=(1, 2)), dropped.any(axis=(1, 2)))
    assert 0.2 < dropped.mean() < 0.6


def test_what_keras_3_lacks_is_named() -> None:
    for layer, match in [
        (Scale(3, name="mine"), r"layer 'mine' \(Scale\) has no equivalent in Keras 3"),
        (layers.Dense(3, activation="hard_sigmoid", name="old"), r"layer 'old' has the activation 'hard_sigmoid'"),
        (layers.Lambda(lambda x: x, name="trick"), r"layer 'trick' \(Lambda\) has no equivalent"),
    ]:
        with pytest.raises(StageError, match=match):
            tfopt.bridge.to_keras(tf_keras.Sequential([layers.InputLayer((4,)), layer]))
    inputs = layers.Input((4,))
    with pytest.raises(StageError, match=r"operation tf\.math\.lgamma .*has no known equivalent in keras\.ops"):
        tfopt.bridge.to_keras(tf_keras.Model(inputs, tf.math.lgamma(inputs)))
    with pytest.raises(StageError, match="A int is not a model"):
        tfopt.bridge.to_keras(3)
