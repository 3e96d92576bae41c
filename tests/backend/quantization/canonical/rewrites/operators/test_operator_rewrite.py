"""TensorFlow operators in functional models."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tests.support.canonical import quantized_file, there_and_back, treatments
from tfopt.backend.quantization.canonical import canonicalize

pytestmark = pytest.mark.tf
PER_CHANNEL = np.arange(1, 5, dtype=np.float32)

OPERATORS = {
    "x + c": lambda x: x + 1.0,
    "c + x": lambda x: 1.0 + x,
    "x - c": lambda x: x - PER_CHANNEL,
    "c - x": lambda x: 2.0 - x,
    "x * c": lambda x: x * PER_CHANNEL,
    "x / c": lambda x: x / PER_CHANNEL,
    "-x": lambda x: -x,
    "x + y": lambda x: x + tf.nn.relu(x),
    "x - y": lambda x: tf.subtract(x, tf.tanh(x)),
    "x * y": lambda x: x * tf.reduce_mean(x, [1, 2], keepdims=True),
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "sigmoid": tf.sigmoid,
    "swish": tf.nn.silu,
    "softmax": tf.nn.softmax,
    "gelu": tf.nn.gelu,
    "leaky_relu": lambda x: tf.nn.leaky_relu(x, 0.3),
    "clip": lambda x: tf.clip_by_value(x, 0.0, 0.5),
    "maximum": lambda x: tf.maximum(x, 0.0),
    "concat": lambda x: tf.concat([x, x], 1),
    "mean": lambda x: tf.reduce_mean(x, axis=[1, 2]),
    "reshape": lambda x: tf.reshape(x, [-1, 8, 32]),
    "squeeze": lambda x: tf.squeeze(tf.expand_dims(x, 2), 2),
    "transpose": lambda x: tf.transpose(x, [0, 2, 1, 3]),
    "pad": lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]]),
    "slice": lambda x: x[:, 1:, ::2, :2],
    "index": lambda x: x[:, 3],
    "ellipsis": lambda x: x[..., 0],
}


def test_operators_become_layers_that_compute_the_same() -> None:
    image = layers.Input((8, 8, 4))
    model = tf_keras.Model(image, {name: operator(image) for name, operator in OPERATORS.items()})
    canonical = there_and_back(model)
    assert not {"TFOpLambda", "SlicingOpLambda"} & {type(layer).__name__ for layer in canonical.model.layers}


OTHERS = {
    "power": lambda x: x**2,
    "c / x": lambda x: 1.0 / x,
    "batch": lambda x: tf.reshape(x, [-1, 4]),
    "first": lambda x: x[:1],
    "table": lambda x: x + np.ones((8, 8, 4), np.float32),
    "axis": lambda x: tf.nn.softmax(x, axis=1),
    "integers": lambda x: tf.cast(tf.cast(x, "int32") + 1, "float32"),
}


def test_other_operators_stay() -> None:
    image = layers.Input((8, 8, 4))
    model = tf_keras.Model(image, {name: operator(image) for name, operator in OTHERS.items()})
    assert canonicalize(model).rewrites == ()


def test_the_file_is_integer_without_calibration_data() -> None:
    image = layers.Input((8, 8, 4), name="image")
    x = layers.Conv2D(8, 3, padding="same", name="conv")(image * 2.0)
    x = x * (tf.nn.relu6(x + 3.0) * (1 / 6))  # hard swish, as MobileNetV3 writes it
    x = tf.concat([x[:, 1:-1, 1:-1], layers.Conv2D(8, 3, name="second")(x)], -1)
    x = layers.Dense(3, name="head")(tf.reduce_mean(x, [1, 2]))
    canonical = canonicalize(tf_keras.Model(image, x))
    assert quantized_file(canonical).float_operators == []
    assert all(how.startswith(("simulated", "fused with")) for how in treatments(canonical).values())
