"""Activation functions that only Keras 3 has are simulated, with a scale that training gives."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.support.digits import training_images
from tests.support.files import int8_file
from tests.support.models import answers
from tfopt.backend.bridge import to_tf_keras
from tfopt.backend.quantization.annotation import original_layer_treatments
from tfopt.backend.quantization.calibration import calibrate
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import wrap
from tfopt.core.config.quantization import Quantization

pytestmark = pytest.mark.tf

FUNCTIONS = ("celu", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "sparse_sigmoid")


def bent() -> keras.Model:
    """Each function as a layer behind a kernel and batch normalization, and one inside a kernel's layer."""
    keras.utils.set_random_seed(2)
    image = keras.Input((8, 8, 1), name="image")
    found = []
    for function in FUNCTIONS:
        x = layers.BatchNormalization()(layers.Conv2D(2, 3, name=f"{function}_in")(image))
        x = layers.Activation(function, name=function)(x)
        found.append(layers.GlobalAveragePooling2D()(x))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3, activation="hard_silu", name="inside")(image))
    return keras.Model(image, layers.Dense(4, name="head")(layers.Concatenate()([*found, x])))


def test_they_are_simulated_and_integer_in_the_file() -> None:
    model = to_tf_keras(bent())
    canonical = canonicalize(model)
    planned = original_layer_treatments(canonical, Quantization())
    assert {name: how for name, how in planned.items() if not how.startswith(("simulated", "fused"))} == {}
    wrapped = wrap(canonical, Quantization(), WeightConstraints())
    calibrate(wrapped, [training_images()[:64]])
    for name in FUNCTIONS:
        assert wrapped.get_layer(f"quant_{name}")._output_quantizers, name
    outputs, expected = (answers(one, training_images()[:32]) for one in (wrapped, model))
    np.testing.assert_allclose(outputs, expected, atol=0.1 * np.ptp(expected))
    file = int8_file(wrapped)
    assert file.float_operators == []
    assert file.operators.count("HARD_SWISH") == 3
