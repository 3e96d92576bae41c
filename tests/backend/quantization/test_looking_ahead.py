"""What the plan says about layers that stay float."""

from __future__ import annotations

import pytest
import tf_keras
from tf_keras import layers

from tfopt.core.preflight import Workload
from tfopt.core.quantization import Require
from tfopt.stages.qat import Qat

pytestmark = pytest.mark.tf


def _found(require: Require):
    image = layers.Input((8, 8, 1), name="image")
    x = layers.ELU(name="bend")(layers.Conv2D(4, 3, name="stem")(image))
    model = tf_keras.Model(image, layers.Dense(3, activation="elu", name="head")(layers.Flatten(name="flatten")(x)))
    return Qat(epochs=1, calibration=8, require=require).preflight(model, Workload(10, 5, 100))


def test_all_is_refused_before_training_with_the_names() -> None:
    ((path, message),) = _found("all").problems
    assert path == ("require",)
    assert "2 layers stay float in an int8 file" in message
    assert "bend (ELU): TFLite has no integer kernel for ELU; head (Dense): " in message


@pytest.mark.parametrize("require", ["listed", "none"])
def test_otherwise_they_are_listed(require) -> None:
    found = _found(require)
    assert not found.problems
    assert found.warnings == (
        "stays float in an int8 file: bend (ELU): TFLite has no integer kernel for ELU.",
        "stays float in an int8 file: head (Dense): TFLite has no integer kernel for ELU.",
    )
