"""Ranges from data."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tests.support.digits import training_images
from tests.support.models import answers, normalization
from tfopt.backend.quantization.calibration import calibrate
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import wrap
from tfopt.core.config.quantization import Quantization

pytestmark = pytest.mark.tf


def _wrapped(*stack: layers.Layer) -> tf_keras.Model:
    model = tf_keras.Sequential([layers.InputLayer((8, 8, 1), name="image"), *stack])
    return wrap(canonicalize(model), Quantization(), WeightConstraints())


def _values(model: tf_keras.Model) -> dict[str, np.ndarray]:
    return {variable.name.removesuffix(":0"): variable.numpy() for variable in model.variables}


def test_ranges_are_exactly_those_of_the_examples() -> None:
    wrapped = _wrapped(layers.Conv2D(4, 3, name="kernel"), layers.Dropout(0.5), layers.Softmax())
    images = training_images()[:96] * 255 - 20
    calibrate(wrapped, [images[:64], images[64:]])
    values = _values(wrapped)
    kernel = values["kernel/kernel"]
    plain = tf_keras.layers.Conv2D(4, 3, weights=[kernel, np.zeros(4)])(images).numpy()
    assert values["image_rounded/image_rounded_min"] == images.min()
    assert values["image_rounded/image_rounded_max"] == images.max()
    # The kernel is rounded, so the output is only nearly that of the plain layer.
    assert values["quant_kernel/output_min"] == pytest.approx(plain.min(), rel=0.02)
    assert values["quant_kernel/output_max"] == pytest.approx(plain.max(), rel=0.02)


def test_batch_normalization_keeps_its_statistics() -> None:
    wrapped = _wrapped(layers.Conv2D(4, 3, name="kernel"), normalization("norm"), layers.ReLU())
    before = _values(wrapped)
    calibrate(wrapped, [training_images()[:64]])
    after = _values(wrapped)
    np.testing.assert_array_equal(after["norm/moving_mean"], before["norm/moving_mean"])
    np.testing.assert_array_equal(after["norm/moving_variance"], before["norm/moving_variance"])


def test_calibrating_again_starts_anew() -> None:
    wrapped = _wrapped(layers.Conv2D(4, 3, name="kernel"))
    calibrate(wrapped, [training_images()[:64] * 255])
    calibrate(wrapped, [training_images()[:64]])
    assert _values(wrapped)["image_rounded/image_rounded_max"] == 1.0


def test_a_dead_layer_gets_a_range() -> None:
    dead = layers.Conv2D(4, 3, bias_initializer=tf_keras.initializers.Constant(-1000.0), name="kernel")
    wrapped = _wrapped(dead, layers.ReLU(name="dead"))
    calibrate(wrapped, [training_images()[:64]])
    values = _values(wrapped)
    assert (values["quant_dead/output_min"], values["quant_dead/output_max"]) == (0.0, 1.0)
    assert np.isfinite(answers(wrapped, training_images()[:8])).all()
