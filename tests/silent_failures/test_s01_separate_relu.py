"""S1: a kernel followed by a ReLU layer is not simulated by tfmot at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorflow_model_optimization.quantization.keras import QuantizeWrapper, quantize_model

from tests.support.contexts import qat, qat_context
from tests.support.models import separate_relu_model
from tfopt.backend.quantization import layer_treatments
from tfopt.backend.stages.qat import quantize_aware_train

pytestmark = pytest.mark.tf
_BEFORE_RELU = ("first", "second", "hidden")


def _rounded_weights(model) -> dict[str, int]:
    wrappers = [layer for layer in model.layers if isinstance(layer, QuantizeWrapper)]
    return {wrapper.layer.name: len(wrapper._weight_vars) for wrapper in wrappers}


def test_naive_rounds_no_weight_in_front_of_a_relu_layer() -> None:
    rounded = _rounded_weights(quantize_model(separate_relu_model()))
    assert [rounded[name] for name in _BEFORE_RELU] == [0, 0, 0]
    assert rounded["logits"] == 1


def test_tfopt_rounds_them_and_fuses_the_relu(tmp_path: Path) -> None:
    model = separate_relu_model()
    stage = qat(epochs=1)
    treated = layer_treatments(model, stage)
    assert [treated[name] for name in _BEFORE_RELU] == ["simulated"] * 3
    assert treated["first_relu"] == "fused with first"
    assert treated["second_relu"] == "fused with second"
    quantized = quantize_aware_train(model, stage, stage, qat_context(tmp_path)).model
    rounded = _rounded_weights(quantized.model)
    assert [rounded[name] for name in (*_BEFORE_RELU, "logits")] == [1, 1, 1, 1]
