"""Models of either Keras in mixed precision, float16, bfloat16 or float64 become float32, with the same outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.support.networks.layers import Scale
from tfopt.backend.bridge import restore_keras3
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.graph.layers import all_layers
from tfopt.backend.models import build as models
from tfopt.backend.models import precision
from tfopt.core.recipe.recipe import ModelConfig

pytestmark = pytest.mark.tf

KERAS_3 = """
import keras

def build(policy, globally=True):
    if globally:
        keras.mixed_precision.set_global_policy(policy)
    dtype = None if globally else policy
    image = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(4, 3, dtype=dtype, name="conv")(image)
    x = keras.layers.BatchNormalization(dtype=dtype)(x)
    x = keras.Sequential([keras.layers.ReLU(dtype=dtype), keras.layers.Reshape((6, 24), dtype=dtype)], name="inner")(x)
    x = keras.layers.MultiHeadAttention(2, 4, dtype=dtype)(x, x)
    x = keras.layers.Bidirectional(keras.layers.LSTM(4, dtype=dtype), dtype=dtype)(x)
    x = keras.ops.sigmoid(x * 0.5)
    return keras.Model(image, keras.layers.Dense(3, activation="softmax", dtype="float32", name="last")(x))
"""
POLICIES = ["mixed_float16", "mixed_bfloat16", "float16", "float64"]


def images() -> Data:
    inputs = np.random.RandomState(0).rand(12, 8, 8, 1).astype(np.float32)
    split = Split(inputs, np.arange(12, dtype=np.int32) % 3)
    return Data(split, split, split, source="examples", num_classes=3)


def is_float32(model: tf_keras.Model) -> bool:
    return {layer.compute_dtype for layer in all_layers(model)} == {"float32"} and {
        weight.dtype.name for weight in model.weights
    } == {"float32"}


@pytest.mark.parametrize(("policy", "globally"), [*((policy, True) for policy in POLICIES), ("mixed_float16", False)])
def test_a_keras_3_model_becomes_float32_and_is_given_back_as_it_was(
    tmp_path: Path, policy: str, globally: bool
) -> None:
    (tmp_path / "half.py").write_text(KERAS_3, encoding="utf-8")
    config = ModelConfig(source="half:build", args={"policy": policy, "globally": globally})
    built = models.build(config, images(), 0, tmp_path)
    assert is_float32(built.model)
    assert policy in str(built.note)
    assert keras.config.dtype_policy().name == "float32", "what a model function sets does not outlive it"
    assert built.origin is not None
    inputs = images().train.inputs
    expected = np.asarray(built.origin(inputs))
    np.testing.assert_allclose(np.asarray(built.model(inputs)), expected, atol=0.03)
    kernel = built.model.get_layer("conv").kernel
    kernel.assign(kernel * 0.5)
    restored = restore_keras3(built.origin, built.model)
    assert restored.get_layer("conv").dtype_policy.name == policy
    np.testing.assert_allclose(np.asarray(restored(inputs)), np.asarray(built.model(inputs)), atol=0.03)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_tf_keras_model_becomes_float32(policy: str) -> None:
    layers = tf_keras.layers
    image = tf_keras.Input((8, 8, 1), dtype="float16" if policy == "float16" else None)
    x = layers.Conv2D(4, 3, dtype=policy, name="conv", trainable=False)(image)
    x = layers.BatchNormalization(dtype=policy)(x)
    x = tf_keras.Sequential([layers.ReLU(dtype=policy), layers.Reshape((6, 24), dtype=policy)], name="inner")(x)
    x = Scale(24, dtype=policy)(x) * 0.5
    x = layers.Bidirectional(layers.LSTM(4, dtype=policy), dtype=policy)(x)
    model = tf_keras.Model(image, layers.Dense(3, activation="softmax", dtype="float32")(x))
    twin = precision.in_float32(model)
    assert is_float32(twin)
    assert precision.sentence(twin) is None
    assert f"in {policy} (" in str(precision.sentence(model))
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    assert not twin.get_layer("conv").trainable
    inputs = images().train.inputs
    np.testing.assert_allclose(np.asarray(twin(inputs)), np.asarray(model(inputs)), atol=0.03)
    assert precision.in_float32(twin) is twin


def test_the_policies_of_a_notebook_are_back_after_a_run() -> None:
    keras.config.set_dtype_policy("mixed_float16")
    tf_keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        with precision.float32_globally():
            assert keras.layers.Dense(2).compute_dtype == "float32"
            assert tf_keras.layers.Dense(2).compute_dtype == "float32"
            with precision.policies_of_caller():
                assert keras.layers.Dense(2).compute_dtype == "float16"
        assert keras.layers.Dense(2).compute_dtype == "float16"
        assert tf_keras.layers.Dense(2).compute_dtype == "bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
        tf_keras.mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize("library", [keras, tf_keras])
def test_an_input_of_another_float_becomes_float32(library: Any) -> None:
    row = library.Input((4,), dtype="float64", name="row")
    model = library.Model(row, library.layers.Dense(2, name="head")(row))
    assert "is in float64 (1 layer)" in str(precision.sentence(model))
    twin = precision.in_float32(model)
    (given,) = twin.inputs
    assert (tf.as_dtype(given.dtype).name, model.inputs[0].dtype) == ("float32", "float64")
    np.testing.assert_array_equal(twin.layers[-1].get_weights()[0], model.layers[-1].get_weights()[0])
