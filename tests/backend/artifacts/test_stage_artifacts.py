"""Results of stages in the store; quantized ones are in tests/backend/quantization/test_quantized.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.tf


def test_a_plain_model_is_its_own_float_and_inference_model(tmp_path: Path) -> None:
    import tf_keras

    from tfopt.backend.artifacts import stage_artifacts

    model = tf_keras.Sequential([tf_keras.layers.InputLayer((4,)), tf_keras.layers.Dense(3, name="logits")])
    stage_artifacts.save(model, tmp_path)
    loaded = stage_artifacts.load(tmp_path)
    assert stage_artifacts.float_model(loaded) is stage_artifacts.inference_model(loaded) is loaded
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
