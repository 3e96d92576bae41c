from __future__ import annotations

import keras
import numpy as np
import pytest
import tf_keras
from keras import layers

from tests.support.networks.own_layers import SqueezeExcite
from tests.support.shrinking import assert_removal_is_exact
from tfopt.backend.bridge import back_to_keras3, to_keras, to_tf_keras
from tfopt.backend.bridge.activations import BY_NAME
from tfopt.backend.graph.outputs import in_a_list

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def origin() -> keras.Model:
    image = keras.Input((6, 6, 3), name="image")
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="conv")(image)
    x = SqueezeExcite(name="excite")(layers.SeparableConv2D(16, 3, name="separable")(x))
    return keras.Model(image, layers.Dense(3, name="head")(layers.GlobalAveragePooling2D(name="pool")(x)))


def test_a_model_that_was_shrunk_is_a_smaller_keras_3_model(origin: keras.Model) -> None:
    smaller = assert_removal_is_exact(to_tf_keras(origin))
    back = back_to_keras3(origin, smaller)
    assert isinstance(back, keras.Model)
    assert back.get_layer("conv").filters == 8
    assert back.get_layer("separable").filters == 8


def test_a_model_of_the_same_sizes_keeps_its_classes(origin: keras.Model) -> None:
    back = back_to_keras3(origin, to_tf_keras(origin))
    assert isinstance(back.get_layer("excite"), SqueezeExcite)


def test_a_model_that_was_shrunk_returns_a_dict_as_before() -> None:
    row, more = keras.Input((8,), name="row"), keras.Input((8,), name="more")
    x = layers.Dense(16, name="hidden")(layers.Concatenate(name="both")([row, more]))
    outputs = {"size": layers.Dense(1, name="a")(x), "kind": layers.Dense(3, name="b")(x)}
    origin = keras.Model({"row": row, "more": more}, outputs)
    back = back_to_keras3(origin, in_a_list(assert_removal_is_exact(to_tf_keras(origin))))
    given = back({"row": np.ones((2, 8)), "more": np.zeros((2, 8))})
    assert {name: tuple(values.shape) for name, values in given.items()} == {"size": (2, 1), "kind": (2, 3)}


def test_the_gelu_of_keras_ops_returns_from_a_model_that_was_shrunk() -> None:
    image = keras.Input((6, 6, 3), name="image")
    x = keras.ops.gelu(layers.Conv2D(16, 3, name="first")(image))
    x = keras.ops.gelu(layers.Conv2D(16, 3, name="second")(x))
    origin = keras.Model(image, layers.Dense(3, name="head")(layers.GlobalAveragePooling2D()(x)))
    back = back_to_keras3(origin, assert_removal_is_exact(to_tf_keras(origin)))
    assert back.get_layer("second").filters == 8


def test_a_dense_layer_with_that_gelu_returns_from_a_sequential_model() -> None:
    activation = BY_NAME["gelu_approximate"]
    model = tf_keras.Sequential([tf_keras.layers.Dense(4, activation, name="hidden", input_shape=(3,))])
    rows = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    np.testing.assert_allclose(to_keras(model)(rows), model(rows), atol=1e-6)
