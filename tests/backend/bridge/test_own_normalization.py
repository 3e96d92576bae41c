"""RMS normalizations of any class become one layer that can be computed in 8 bits, with the scale of the layer."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tf_keras
from keras import layers, ops

from tfopt.backend import quantization
from tfopt.backend.bridge import restore_keras3, to_tf_keras
from tfopt.backend.graph.layers import layer_type, leaf_layers
from tfopt.core.config.quantization import Quantization

pytestmark = pytest.mark.tf

VALUES = np.random.RandomState(0).normal(0, 2, (6, 5)).astype(np.float32)


@keras.saving.register_keras_serializable("own_normalization")
class FromZero(layers.Layer):
    """RMS normalization whose scale begins at 0, as in Gemma."""

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="zeros", name="scale")

    def call(self, x: Any) -> Any:
        return x * ops.rsqrt(ops.mean(ops.power(x, 2), axis=-1, keepdims=True) + 1e-5) * (1 + self.scale)


@pytest.fixture(scope="module")
def source() -> keras.Model:
    start = keras.Input((5,), name="start")
    x = layers.Dense(8, name="dense")(start)
    x = FromZero(name="from_zero")(x)
    x = layers.RMSNormalization(epsilon=1e-4, name="of_keras")(x)
    model = keras.Model(start, layers.Dense(3, name="head")(x))
    for name in ("from_zero", "of_keras"):
        scale = model.get_layer(name).scale
        scale.assign(np.linspace(-0.5, 1.5, 8))
    return model


@pytest.fixture(scope="module")
def model(source: keras.Model) -> tf_keras.Model:
    return to_tf_keras(source)


def test_they_are_recognized_with_their_epsilon_and_what_is_added_to_the_scale(model: tf_keras.Model) -> None:
    found = {layer.name: layer for layer in leaf_layers(model) if layer_type(layer) == "RMSNormalization"}
    settings = {name: (layer.epsilon, layer.offset) for name, layer in found.items()}
    assert settings == {"from_zero.normalization": (1e-5, 1.0), "of_keras.normalization": (1e-4, 0.0)}


def test_trained_scales_go_back_to_the_users_layers(source: keras.Model, model: tf_keras.Model) -> None:
    clone = tf_keras.models.clone_model(model)
    clone.set_weights([weight * 0.5 for weight in model.get_weights()])
    restored = restore_keras3(source, clone)
    np.testing.assert_allclose(restored(VALUES), clone(VALUES), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(restored.get_layer("from_zero").scale, np.linspace(-0.25, 0.75, 8), atol=1e-6)


def test_qat_simulates_them(model: tf_keras.Model) -> None:
    treatments = quantization.layer_treatments(model, Quantization())
    for name in ("from_zero", "of_keras"):
        assert treatments[f"{name}.normalization"] == "simulated, rewritten: normalization computed step by step"
