"""Merges of many, and separable convolutions."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tests.support.canonical import QUANTIZATION, quantized_file, there_and_back, treatments
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import wrap

pytestmark = pytest.mark.tf


def test_separable_convolutions_and_merges_of_many() -> None:
    image = layers.Input((8, 8, 4), name="image")
    separable = layers.SeparableConv2D(6, 3, padding="same", depth_multiplier=2, activation="relu", name="separable")
    bare = layers.SeparableConv2D(6, 3, padding="same", use_bias=False, name="bare")
    x, y, z = separable(image), bare(image), layers.Conv2D(6, 1, name="plain")(image)
    x = layers.Multiply(name="product")([x, y, z, layers.Add(name="sum")([x, y, z])])
    model = tf_keras.Model(image, x)
    canonical = there_and_back(model)
    assert {rewritten.layer: rewritten.new_layers for rewritten in canonical.rewrites} == {
        "separable": ("separable_depthwise", "separable_pointwise"),
        "bare": ("bare_depthwise", "bare_pointwise"),
        "sum": ("sum_pair1", "sum"),
        "product": ("product_pair1", "product_pair2", "product"),
    }
    assert treatments(canonical)["sum"] == "simulated, rewritten: computed in pairs"
    assert quantized_file(canonical).float_operators == []


def test_dilated_convolutions_train_and_are_one_operator() -> None:
    image = layers.Input((8, 8, 2), name="image")
    x = layers.Conv2D(4, 3, dilation_rate=2, name="dilated")(image)
    model = tf_keras.Model(image, layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(x)))
    canonical = there_and_back(model)
    assert treatments(canonical)["relu"] == "fused with dilated"
    file = quantized_file(canonical)
    assert file.float_operators == []
    assert file.operators.count("CONV_2D") == 1
    assert "SPACE_TO_BATCH_ND" not in file.operators
    wrapped = wrap(canonical, QUANTIZATION, WeightConstraints())
    wrapped.compile("adam", "mse")
    wrapped.fit(np.ones((4, 8, 8, 2)), np.zeros((4, 4, 4, 4)), verbose=0)
