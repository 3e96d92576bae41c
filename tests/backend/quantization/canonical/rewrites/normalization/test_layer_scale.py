"""The LayerScale of ConvNeXt is trained in 8 bits."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from tests.support.canonical import quantized_file, there_and_back, treatments
from tfopt.backend.bridge import to_tf_keras

pytestmark = pytest.mark.tf


def test_layer_scale_there_and_back_and_in_the_file() -> None:
    scaling = pytest.importorskip("keras.src.applications.convnext").LayerScale
    image = keras.Input((6, 6, 3), name="image")
    x = scaling(1e-6, 4, name="scale")(layers.Conv2D(4, 3, padding="same", name="kernel")(image))
    x = layers.Add(name="sum")([x, layers.Conv2D(4, 1, name="other")(image)])
    model = to_tf_keras(keras.Model(image, layers.Dense(3, name="head")(layers.Flatten()(x))))
    canonical = there_and_back(model)
    assert [done.layer for done in canonical.rewrites] == ["scale"]
    assert treatments(canonical)["scale"] == "simulated, rewritten: computed as 1x1 DepthwiseConv2D"
    file = quantized_file(canonical)
    assert file.float_operators == []
    assert "DEPTHWISE_CONV_2D" in file.operators
