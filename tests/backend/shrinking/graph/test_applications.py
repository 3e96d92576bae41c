"""Families of keras.applications: removing units is masking them, and the result is a Keras 3 model again."""

from __future__ import annotations

import keras
import pytest

from tests.support.shrinking import assert_removal_is_exact
from tfopt.backend.bridge import to_keras, to_tf_keras
from tfopt.backend.shrinking.graph import cost

pytestmark = [pytest.mark.tf, pytest.mark.slow]

FAMILIES = {
    "MobileNet": 32, "MobileNetV2": 32, "MobileNetV3Small": 32, "VGG16": 32, "ResNet50V2": 32, "EfficientNetB0": 32,
    "EfficientNetV2B0": 32, "ConvNeXtTiny": 32, "InceptionV3": 75, "Xception": 71, "DenseNet121": 32,
    "NASNetMobile": 32, "InceptionResNetV2": 75,
}  # fmt: skip
"""The smallest height and width that each takes."""


@pytest.mark.parametrize("name", FAMILIES)
def test_half_the_channels_are_removed_exactly(name: str) -> None:
    shape = (FAMILIES[name], FAMILIES[name], 3)
    build = getattr(keras.applications, name)
    model = to_tf_keras(build(weights=None, input_shape=shape, classes=10, classifier_activation=None))
    smaller = assert_removal_is_exact(model)
    assert cost(smaller).macs < 0.5 * cost(model).macs
    assert isinstance(to_keras(smaller), keras.Model)
