from __future__ import annotations

import keras
import pytest
from keras import layers

from tests.support.networks.own_layers import SqueezeExcite
from tests.support.shrinking import assert_removal_is_exact
from tfopt.backend.bridge import back_to_keras3, to_tf_keras

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
