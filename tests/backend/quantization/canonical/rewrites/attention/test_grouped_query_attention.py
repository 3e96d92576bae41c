"""Attention in which several queries share keys and values, taken apart."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from tests.support.canonical import quantized_file, there_and_back, treatments
from tfopt.backend.bridge import to_tf_keras
from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper

pytestmark = pytest.mark.tf


def test_it_is_simulated_and_restored_and_its_file_is_integer() -> None:
    given = keras.Input((6, 8), name="given")
    x = layers.GroupQueryAttention(4, 4, 2, dropout=0.1, name="causal")(given, given, use_causal_mask=True)
    x = layers.GroupQueryAttention(3, 2, 2, use_bias=False, name="plain")(x, given)
    model = to_tf_keras(keras.Model(given, layers.Dense(2, name="head")(layers.Flatten(name="flat")(x))))
    canonical = there_and_back(model)
    assert not any(isinstance(layer, Keras3LayerWrapper) for layer in canonical.model.layers)
    assert {name: how for name, how in treatments(canonical).items() if not how.startswith("simulated")} == {}
    file = quantized_file(canonical, data=True)
    assert file.float_operators == []
    assert file.operators.count("SOFTMAX") == 2
