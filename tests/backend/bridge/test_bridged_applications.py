"""Nets of keras.applications become equal tf_keras models: a small one always, all families in the slow test."""

from __future__ import annotations

import gc

import pytest

pytestmark = pytest.mark.tf

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tf_keras  # noqa: E402

from tfopt.backend.bridge import to_tf_keras, variable_pairs  # noqa: E402
from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper  # noqa: E402

SMALL = {"MobileNetV3Small": (32, {"minimalistic": False})}
"""In CI: it has what the other MobileNets have (strided depthwise kernels, residual sums), and gates."""
LARGE = {
    "MobileNet": (32, {"alpha": 0.25}),
    "MobileNetV2": (32, {"alpha": 0.35}),
    "ConvNeXtTiny": (32, {}),
    "DenseNet121": (32, {}),
    "EfficientNetB0": (32, {}),
    "EfficientNetV2B0": (32, {}),
    "InceptionV3": (75, {}),
    "MobileNetV3Large": (32, {}),
    "NASNetMobile": (32, {}),
    "ResNet50": (32, {}),
    "ResNet50V2": (32, {}),
    "VGG16": (32, {}),
    "Xception": (71, {}),
}
WRAPPED = {"ConvNeXtTiny": {"LayerScale"}}
"""What runs inside a wrapper, by the class of the wrapped layer; nothing in the other nets."""


def bridged(name: str, size: int, options: dict) -> None:
    model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=10, **options)
    converted = to_tf_keras(model)
    pairs = variable_pairs(model, converted)
    assert len(pairs) == len(model.weights)
    assert model.count_params() == converted.count_params()
    wrappers = {
        type(layer.wrapped).__name__ for layer in converted._flatten_layers() if isinstance(layer, Keras3LayerWrapper)
    }
    assert wrappers == WRAPPED.get(name, set())
    images = np.random.default_rng(2).uniform(0, 255, (2, size, size, 3)).astype(np.float32)
    expected, found = model(images, training=False), converted(images, training=False)
    difference = np.max(np.abs(np.asarray(expected) - np.asarray(found)))
    print(f"{name}: {len(pairs)} variables, wrappers {sorted(wrappers)}, largest difference {difference:.2g}")
    assert difference < 1e-5
    keras.backend.clear_session()
    tf_keras.backend.clear_session()
    gc.collect()


@pytest.mark.parametrize("name", SMALL)
def test_a_small_application_is_bridged(name: str) -> None:
    bridged(name, *SMALL[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_a_large_application_is_bridged(name: str) -> None:
    bridged(name, *LARGE[name])
