"""What cannot be converted is one clear error that names the layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tf

import keras  # noqa: E402
import tf_keras  # noqa: E402
from keras import layers  # noqa: E402

import tfopt  # noqa: E402
from tests.support.networks.keras3_layers import Forgetful, WithTensorFlow  # noqa: E402
from tfopt.backend.bridge import call_mapping, to_tf_keras  # noqa: E402
from tfopt.errors import StageError  # noqa: E402


def one(layer: keras.layers.Layer, shape: tuple[int, ...] = (4,)) -> keras.Model:
    return keras.Sequential([keras.Input(shape), layer], name="net")


def doubled(x: Any) -> Any:
    return 2 * x


def with_tensorflow() -> keras.Model:
    model = WithTensorFlow(name="net")
    model(np.zeros((2, 3), np.float32))
    return model


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: one(layers.Lambda(lambda x: x * 2, name="twice")), "'twice'.*Lambda"),
        (
            lambda: one(layers.Conv2D(2, 1, data_format="channels_first", name="conv"), (3, 4, 4)),
            "'conv'.*channels_first",
        ),
        (
            lambda: one(layers.Dense(3, dtype="int8_from_float32", name="dense")),
            "'dense'.*int8_from_float32.*is quantized already",
        ),
        (lambda: one(Forgetful(3, name="forgetful")), "'forgetful'.*cannot be made again.*get_config"),
        (lambda: one(layers.Dense(3, activation=doubled, name="own")), "'own'.*with the function 'doubled'.*register"),
        (lambda: keras.Sequential([layers.Dense(2)], name="net"), "'net' has no input shape.*keras.Input"),
        (lambda: WithTensorFlow(name="net"), "'net' \\(WithTensorFlow\\) is not built"),
        (with_tensorflow, "Tracing the call of 'net'"),
    ],
)
def test_what_cannot_be_converted_is_named(build: Callable[[], keras.Model], says: str) -> None:
    model = build()
    with pytest.raises(StageError, match=says):
        to_tf_keras(model)


def test_a_difference_names_the_first_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    made = call_mapping.equivalent_layer

    def wrong(layer: keras.layers.Layer, *rest: Any) -> tf_keras.layers.Layer:
        converted = made(layer, *rest)
        if layer.name == "second":
            converted.epsilon = 0.5
        return converted

    monkeypatch.setattr(call_mapping, "equivalent_layer", wrong)
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, name="first"), layers.LayerNormalization(name="second"), layers.Dense(2)]
    )
    with pytest.raises(StageError, match="first layer that differs is 'second'"):
        to_tf_keras(model)


def test_no_model_is_refused_and_tf_keras_comes_back() -> None:
    with pytest.raises(StageError, match="A Dense is not a model"):
        tfopt.bridge.to_tf_keras(layers.Dense(2))
    model = tf_keras.Sequential([tf_keras.Input((3,)), tf_keras.layers.Dense(2)])
    assert tfopt.bridge.to_tf_keras(model) is model
