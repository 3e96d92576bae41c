"""S5: tfmot trains the kernels of layers that are frozen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tensorflow_model_optimization.quantization.keras import quantize_model

from tests.support.contexts import qat, qat_context
from tests.support.models import inner_relu_model, train
from tfopt.backend.stages.qat import quantize_aware_train

pytestmark = pytest.mark.tf


@pytest.fixture
def frozen():
    model = inner_relu_model()
    model.get_layer("second").trainable = False
    return model


@pytest.mark.slow
def test_naive_trains_a_frozen_kernel(frozen) -> None:
    before = frozen.get_layer("second").kernel.numpy()
    model = train(quantize_model(frozen), epochs=1)
    after = next(weight for weight in model.weights if weight.name == "second/kernel:0").numpy()
    assert np.abs(after - before).max() > 1e-3


def test_tfopt_does_not(frozen, tmp_path: Path) -> None:
    stage = qat(epochs=1)
    quantized = quantize_aware_train(frozen, stage, stage, qat_context(tmp_path)).model
    for before, after in zip(
        frozen.get_layer("second").get_weights(), quantized.float_model.get_layer("second").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(after, before)
    moved = quantized.float_model.get_layer("first").kernel.numpy() - frozen.get_layer("first").kernel.numpy()
    assert np.abs(moved).max() > 1e-3
