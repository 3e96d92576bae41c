"""S6: models that tfmot says it supports convert without a word to files with float operators inside."""

from __future__ import annotations

from pathlib import Path

import pytest
import tf_keras
from tensorflow_model_optimization.quantization.keras import quantize_model
from tf_keras import layers

from tests.support.contexts import qat, qat_context
from tests.support.files import int8_file, naive_file
from tests.support.models import accuracy, normalization, train
from tfopt.backend.stages.qat import quantize_aware_train

pytestmark = pytest.mark.tf


def _model() -> tf_keras.Model:
    """Dilated convolution, sum of three, swish in the layer, Dense on three axes, Dense with batch normalization."""
    image = layers.Input((8, 8, 1), name="image")
    first = layers.Conv2D(8, 3, padding="same", activation="relu", name="first")(image)
    dilated = layers.Conv2D(8, 3, padding="same", dilation_rate=2, activation="relu", name="dilated")(first)
    swish = layers.Conv2D(8, 1, activation="swish", name="swish")(first)
    total = layers.Add(name="total")([first, dilated, swish])
    rows = layers.Reshape((8, 64), name="rows")(total)
    rows = layers.Dense(16, activation="relu", name="per_row")(rows)
    hidden = layers.Dense(32, use_bias=False, name="hidden")(layers.Flatten(name="flatten")(rows))
    hidden = layers.ReLU(name="hidden_relu")(normalization("hidden_norm")(hidden))
    return tf_keras.Model(image, layers.Dense(10, activation="softmax", name="logits")(hidden), name="odd")


@pytest.fixture(scope="module")
def trained():
    return train(_model(), epochs=5)


@pytest.mark.slow
def test_naive_leaves_float_operators(trained) -> None:
    floats = naive_file(train(quantize_model(trained), epochs=1)).float_operators
    assert {"CONV_2D", "ADD", "FULLY_CONNECTED"} <= set(floats)


def test_tfopt_leaves_none(trained, tmp_path: Path) -> None:
    stage = qat(epochs=2)
    quantized = quantize_aware_train(trained, stage, stage, qat_context(tmp_path)).model
    file = int8_file(quantized.model)
    assert file.float_operators == []
    assert file.accuracy() > 0.7
    assert abs(file.accuracy() - accuracy(quantized.model)) < 0.06
