"""A bridged model trains as its Keras 3 original does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tf

import keras  # noqa: E402
import tf_keras  # noqa: E402
from keras import layers  # noqa: E402

from tests.support.networks.keras3_layers import Plain, Scale  # noqa: E402
from tfopt.backend.bridge import to_tf_keras, variable_pairs  # noqa: E402
from tfopt.backend.bridge.opened_layer import OwnLayer  # noqa: E402


def convolutional() -> keras.Model:
    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(6, 3, use_bias=False, kernel_regularizer=keras.regularizers.L2(1e-2), name="conv")(image)
    x = layers.BatchNormalization(momentum=0.8, name="norm")(x)
    x = layers.Flatten(name="flat")(keras.ops.relu(x) + 0.5)
    x = Plain(name="plain")(layers.Dense(8, activity_regularizer="l1", kernel_constraint="unit_norm", name="dense")(x))
    x = layers.BatchNormalization(momentum=0.9, name="norm_of_rows")(x)
    return keras.Model(image, layers.Dense(3, name="head")(x), name="net")


def data() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    return random.standard_normal((64, 8, 8, 1)).astype(np.float32), random.integers(0, 3, 64)


def losses(model: Any, library: Any) -> list[float]:
    images, labels = data()
    loss = library.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(library.optimizers.SGD(0.1, momentum=0.9), loss)
    return [float(model.train_on_batch(images, labels)) for _ in range(6)]


def test_losses_weights_and_statistics_go_the_same_way() -> None:
    keras.utils.set_random_seed(4)
    model = convolutional()
    converted = to_tf_keras(model)
    start = {id(variable): np.array(variable.value) for variable, _ in variable_pairs(model, converted)}
    assert losses(converted, tf_keras) == pytest.approx(losses(model, keras), abs=2e-5)
    for variable, value in variable_pairs(model, converted):
        moved = np.abs(np.asarray(variable.value) - start[id(variable)]).max()
        assert moved > 0, variable.path
        # On images tf_keras multiplies the variance of a batch by N/(N-1), here 2304/2303.
        share = 1e-3 if variable.path == "norm/moving_variance" else 1e-4
        np.testing.assert_allclose(value, variable.value, atol=share * max(moved, 1e-2), err_msg=variable.path)
    assert np.all(np.asarray(converted.get_layer("plain").weights[0]) >= 0)
    np.testing.assert_allclose(np.linalg.norm(converted.get_layer("dense").kernel, axis=0), 1, atol=1e-5)


def test_penalties_are_the_same_and_counted_once() -> None:
    start = keras.Input((6,), name="start")
    model = keras.Model(start, layers.Dense(2, kernel_regularizer="l1", name="head")(Scale(name="scale")(start)))
    converted = to_tf_keras(model)
    assert isinstance(converted.get_layer("scale"), OwnLayer)
    expected, found = (sorted(float(loss) for loss in one.losses) for one in (model, converted))
    assert found == pytest.approx(expected)
    assert len(found) == 2


def test_dropout_is_active_in_training_only_also_in_hosts_and_where_the_graph_says_no() -> None:
    start = keras.Input((50,), name="start")
    once = layers.Dropout(0.5, name="once")(start, training=False)
    model = keras.Model(start, [once, Scale(name="scale")(start)])
    converted = to_tf_keras(model)
    ones = np.ones((4, 50), np.float32)
    plain, trained = converted(ones, training=False), converted(ones, training=True)
    assert 0.3 < np.mean(np.asarray(trained[0]) == 0) < 0.7
    assert np.any(np.asarray(trained[1]) == 0)
    assert not np.any(np.asarray(plain[0]) == 0)
    assert not np.any(np.asarray(plain[1]) == 0)


def test_frozen_layers_stay_frozen() -> None:
    base = keras.Sequential([keras.Input((6,)), layers.Dense(4, name="inner"), Scale(name="scale")], name="base")
    base.trainable = False
    start = keras.Input((6,), name="start")
    model = keras.Model(start, layers.Dense(2, name="head")(base(start)))
    converted = to_tf_keras(model)
    assert [weight.name for weight in converted.trainable_weights] == ["head/kernel:0", "head/bias:0"]
    base.trainable, base.get_layer("inner").trainable = True, False
    assert len(to_tf_keras(model).trainable_weights) == len(model.trainable_weights) == 5


def test_masks_are_respected() -> None:
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    x = layers.Embedding(9, 4, mask_zero=True, name="table")(tokens)
    x = layers.LSTM(3, name="lstm")(layers.Dropout(0.1, name="drop")(x))
    converted = to_tf_keras(keras.Model(tokens, x))
    short, padded = converted(np.array([[1, 2, 3, 0, 0, 0]])), converted(np.array([[1, 2, 3, 0, 0, 0]][:1]))
    np.testing.assert_allclose(short, padded)
    assert isinstance(converted.get_layer("lstm"), tf_keras.layers.LSTM)
    alone = to_tf_keras(keras.Model(tokens, x))(np.array([[0, 0, 0, 1, 2, 3]]))
    np.testing.assert_allclose(alone, short, atol=1e-6)
