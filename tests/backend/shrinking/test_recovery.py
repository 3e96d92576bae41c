from __future__ import annotations

import numpy as np
import pytest
import tf_keras

from tfopt.backend.data.splits import Split
from tfopt.backend.shrinking.recovery import recover
from tfopt.core.config.training.compile import Compile

pytestmark = pytest.mark.tf


@pytest.mark.parametrize(("factor", "kept"), [(1.0, ("logits",)), (-1.0, ())])
def test_solved_weights_stay_where_the_loss_is_less_with_them(factor: float, kept: tuple[str, ...]) -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(64, 4)).astype(np.float32)
    kernel = np.eye(4, dtype=np.float32)
    layers = tf_keras.layers
    model = tf_keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(4, name="hidden"),
            layers.BatchNormalization(center=False, scale=False),
            layers.Dense(4, use_bias=False, name="logits"),
        ]
    )
    model.get_layer("hidden").set_weights([kernel, np.zeros(4, np.float32)])
    logits = model.get_layer("logits")
    logits.set_weights([0.5 * kernel])

    def solve() -> tuple[str, ...]:
        logits.set_weights([factor * kernel])
        return ("logits",)

    judged = Compile.model_validate({"loss": "mean_squared_error", "metrics": ["mae"]})
    found = recover(model, solve, Split(inputs, inputs), judged, 0, statistics=True)
    assert found == kept
    assert kept or model.layers[1].moving_mean.numpy().any(), "new statistics"
    assert logits.kernel.numpy() == pytest.approx((factor if kept else 0.5) * kernel)
