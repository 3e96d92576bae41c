"""What operations and layers of users compute in float is found in the graph that they leave."""

from __future__ import annotations

import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.quantization.float_fallback import float_layers
from tfopt.backend.quantization.traced_floats import traced_floats

pytestmark = pytest.mark.tf


class Sharpened(layers.Layer):
    """A power, of which the result is scaled: a power inside, but not at the end."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return 0.5 * tf.pow(inputs, 1.5)


class Centred(layers.Layer):
    """The converter makes SQUARED_DIFFERENCE of it, which has an integer kernel."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.square(inputs - tf.reduce_mean(inputs, axis=-1, keepdims=True))


class Unit(layers.Layer):
    """The converter makes L2_NORMALIZATION of it."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs / tf.sqrt(tf.reduce_sum(tf.square(inputs), axis=-1, keepdims=True) + 1e-6)


def test_operations_without_an_integer_kernel_are_found_by_layer() -> None:
    tf_keras.backend.clear_session()  # the names of operations count from the first of the process
    row = layers.Input((4,), name="row")
    pixels = layers.Input((4,), dtype="uint8", name="pixels")
    power = layers.Lambda(lambda x: tf.pow(x, 1.5), name="power")(row)
    joined = layers.Concatenate(name="joined")([layers.Reshape((4,), name="moved")(power), row])
    outputs = {
        "joined": joined,
        "sharpened": layers.Concatenate(name="fine")([Sharpened(name="sharpened")(row), row]),
        "centred": Centred(name="centred")(row),
        "unit": Unit(name="unit")(row),
        "scaled": layers.Rescaling(1 / 255, name="scaled")(pixels),
        "embedded": layers.Embedding(256, 2, name="embedded")(pixels),
        "sine": tf.sin(layers.Dense(2, name="dense")(row)),
        "above": tf.cast(layers.Dense(2, name="threshold")(row) > 0.5, tf.float32),
        "shape": row / tf.cast(tf.shape(row)[0], tf.float32),
    }
    model = tf_keras.Model([row, pixels], outputs)
    found = {name: (floats.operators, floats.at_end) for name, floats in traced_floats(model).items()}
    assert found == {
        "power": (("POW",), True),
        "sharpened": (("POW",), False),
        "scaled": (("CAST",), False),
        "tf.cast": (("CAST",), True),
        "tf.math.sin": (("SIN",), True),
    }
    reasons = float_layers(model)
    assert reasons["power"] == "TFLite has no integer kernel for POW"
    assert reasons["scaled"] == "TFLite casts between integers and floats there (CAST)"
    assert reasons["joined"] == "it has one scale with power, which stays float"
    assert reasons["moved"] == "it passes on the result of power, which stays float"
    assert "fine" not in reasons


def test_a_model_of_standard_layers_is_not_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    def traced(*arguments: object) -> None:
        raise AssertionError

    model = tf_keras.Sequential([layers.Input((4,)), layers.Dense(2)])
    monkeypatch.setattr(tf, "function", traced)
    assert traced_floats(model) == {}
