"""Nested models taken apart."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tests.support.canonical import there_and_back, treatments
from tfopt.backend.equivalence import outputs
from tfopt.backend.quantization.annotation import layer_treatments
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.core.config.quantization import Quantization, QuantizeRule

pytestmark = pytest.mark.tf


def _block(name: str, **keys) -> tf_keras.Sequential:
    return tf_keras.Sequential(
        [
            layers.InputLayer((8, 8, 4)),
            layers.Conv2D(4, 3, padding="same", name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(name="relu"),
        ],
        name=name,
    )


def _nested_model() -> tf_keras.Model:
    """A Sequential in a Sequential, the same names twice, two inputs and outputs in dicts, a block called twice."""
    one, two = layers.Input((8, 8, 4), name="one"), layers.Input((8, 8, 4), name="two")
    twice, deep = _block("twice"), tf_keras.Sequential([_block("inner"), layers.Flatten(name="flat")], name="outer")
    x = layers.Add(name="sum")([twice(one), twice(two)])
    y = deep(x)
    return tf_keras.Model({"one": one, "two": two}, {"y": layers.Dense(3, name="conv")(y), "x": x}, name="nested")


def test_all_layers_end_up_in_one_model() -> None:
    model = _nested_model()
    canonical = there_and_back(model)
    assert set(canonical.model.input) == {"one", "two"}
    assert set(canonical.model.output) == {"x", "y"}
    assert not any(isinstance(layer, tf_keras.Model) for layer in canonical.model.layers)
    assert {"conv", "twice_conv", "outer_inner_conv"} <= {layer.name for layer in canonical.model.layers}
    assert canonical.original_names["outer_inner_conv"] == "conv"


def test_a_nested_model_called_without_training_stays_so() -> None:
    image = layers.Input((8, 8, 4))
    model = tf_keras.Model(image, _block("backbone")(image, training=False))
    (norm,) = [layer for layer in canonicalize(model).model.layers if layer.name == "norm"]
    assert norm.inbound_nodes[0].call_kwargs["training"] is False


def test_a_frozen_nested_model_stays_frozen() -> None:
    model = _nested_model()
    model.get_layer("twice").trainable = False
    flat = canonicalize(model).model
    assert {layer.name for layer in flat.layers if not layer.trainable} == {"twice_conv", "relu"}
    assert len(flat.trainable_weights) == len(model.trainable_weights)


def test_layers_in_nested_models_have_their_own_names() -> None:
    image = layers.Input((8, 8, 4), name="image")
    model = tf_keras.Model(image, _block("backbone")(image))
    assert treatments(canonicalize(model)) == {
        "image": "simulated",
        "conv": "simulated",
        "norm": "fused with conv",
        "relu": "fused with conv",
    }


def test_a_rule_for_a_nested_model_is_one_for_its_layers() -> None:
    image = layers.Input((8, 8, 4), name="image")
    model = tf_keras.Model(image, layers.ReLU(name="last")(_block("backbone")(image)))
    rules = (QuantizeRule(match="backbone", skip=True), QuantizeRule(match="conv", skip=False))
    assert layer_treatments(model, Quantization(layers=rules)) == {
        "image": "simulated",
        "conv": "simulated",
        "norm": "after training",
        "relu": "after training",
        "last": "simulated",
    }


class Doubled(tf_keras.Model):
    """A nested model that does more than call its layers."""

    def call(self, inputs):
        return 2.0 * super().call(inputs)


def test_a_model_with_a_call_of_its_own_stays_one_layer() -> None:
    image = layers.Input((4,))
    inner = layers.Input((4,))
    model = tf_keras.Model(image, Doubled(inner, layers.Dense(2)(inner), name="doubled")(image))
    flat = canonicalize(model).model
    assert [layer.name for layer in flat.layers][1:] == ["doubled"]
    inputs = [np.ones((1, 4), np.float32)]
    np.testing.assert_array_equal(outputs(model, inputs)[0], outputs(flat, inputs)[0])
