"""What the plan says about layers that stay float."""

from __future__ import annotations

import pytest
import tf_keras
from tf_keras import layers

from tfopt.core.config.quantization import FloatPolicy
from tfopt.core.contracts.preflight import Workload
from tfopt.stages.qat import Qat

pytestmark = pytest.mark.tf
COMPARISON = "TFLite turns the result of its comparison into numbers in float"


def _found(float_layers: FloatPolicy):
    image = layers.Input((8, 8, 1), name="image")
    x = layers.ReLU(threshold=0.5, name="bend")(layers.Conv2D(4, 3, name="stem")(image))
    x = layers.ThresholdedReLU(name="step")(layers.Dense(3, name="head")(layers.Flatten(name="flatten")(x)))
    model = tf_keras.Model(image, x)
    return Qat(epochs=1, calibration=8, float_layers=float_layers).preflight(model, Workload(10, 5, 100))


def test_all_is_refused_before_training_with_the_names() -> None:
    (mistake,) = _found("forbid").problems
    assert (mistake.path, mistake.code) == (("float_layers",), "float_layers")
    assert f"bend (ReLU): {COMPARISON}; step (ThresholdedReLU): " in mistake.message


@pytest.mark.parametrize("float_layers", ["listed", "allow"])
def test_otherwise_they_are_listed(float_layers) -> None:
    found = _found(float_layers)
    assert not found.problems
    assert found.warnings == (
        f"stays float in an int8 file: bend (ReLU): {COMPARISON}.",
        f"stays float in an int8 file: step (ThresholdedReLU): {COMPARISON}.",
    )
