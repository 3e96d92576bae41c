"""S4: right after `quantize_apply`, and for many steps after, the activation ranges are those tfmot starts with."""

from __future__ import annotations

import pytest
from tensorflow_model_optimization.quantization.keras import quantize_model

from tests.support.digits import training_images
from tests.support.files import int8_file
from tests.support.models import accuracy, inner_relu_model, train
from tfopt.backend.quantization.calibration import calibrate
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import wrap
from tfopt.core.config.quantization import Quantization

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def trained():
    return train(inner_relu_model(), epochs=6)


@pytest.mark.slow
def test_naive_is_useless_before_training(trained) -> None:
    assert accuracy(trained) > 0.75
    assert accuracy(quantize_model(trained)) < 0.5


@pytest.mark.slow
def test_naive_ranges_are_wrong_after_training(trained) -> None:
    model = train(quantize_model(trained), epochs=1)
    low = next(weight for weight in model.weights if weight.name == "quant_first/post_activation_min:0")
    assert float(low.numpy()) < -5, "the output of a ReLU cannot be negative"


def test_tfopt_is_calibrated_before_training(trained) -> None:
    model = wrap(canonicalize(trained), Quantization(), WeightConstraints())
    calibrate(model, [training_images()[:128]])
    low = next(weight for weight in model.weights if weight.name == "quant_first/output_min:0")
    assert float(low.numpy()) == 0
    assert accuracy(model) > accuracy(trained) - 0.06
    assert int8_file(model).accuracy() > accuracy(trained) - 0.06
