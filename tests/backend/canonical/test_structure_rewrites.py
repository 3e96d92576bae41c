"""Merges of many, and separable convolutions."""

from __future__ import annotations

import pytest
import tf_keras
from tf_keras import layers

from tests.backend.canonical.support import quantized_file, there_and_back, told

pytestmark = pytest.mark.tf


def test_separable_convolutions_and_merges_of_many() -> None:
    image = layers.Input((8, 8, 4), name="image")
    separable = layers.SeparableConv2D(6, 3, padding="same", depth_multiplier=2, activation="relu", name="separable")
    bare = layers.SeparableConv2D(6, 3, padding="same", use_bias=False, name="bare")
    x, y, z = separable(image), bare(image), layers.Conv2D(6, 1, name="plain")(image)
    x = layers.Multiply(name="product")([x, y, z, layers.Add(name="sum")([x, y, z])])
    model = tf_keras.Model(image, x)
    canonical = there_and_back(model)
    assert {rewritten.layer: rewritten.made for rewritten in canonical.rewrites} == {
        "separable": ("separable_depthwise", "separable_pointwise"),
        "bare": ("bare_depthwise", "bare_pointwise"),
        "sum": ("sum_pair1", "sum"),
        "product": ("product_pair1", "product_pair2", "product"),
    }
    assert told(model)["sum"] == "simulated, rewritten: computed in pairs"
    assert quantized_file(model).float_operators == []
