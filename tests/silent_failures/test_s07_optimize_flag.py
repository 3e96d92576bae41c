"""S7: a QAT model converted without `Optimize.DEFAULT` is a float file."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorflow_model_optimization.quantization.keras import quantize_model

from tests.support.contexts import qat, qat_context
from tests.support.files import int8_file, naive_file
from tests.support.models import inner_relu_model, train
from tfopt.backend.stages.qat import quantize_aware_train

pytestmark = pytest.mark.tf


@pytest.mark.slow
def test_naive_makes_a_float_file_of_several_times_the_size() -> None:
    model = train(quantize_model(inner_relu_model()), epochs=1)
    without, with_flag = naive_file(model, optimize=False), naive_file(model)
    assert {"CONV_2D", "FULLY_CONNECTED"} <= set(without.float_operators)
    assert {kernel.dtype for kernel in without.kernels} == {"float32"}
    assert len(without.content) > 2 * len(with_flag.content)


def test_tfopt_makes_integers_only(tmp_path: Path) -> None:
    stage = qat(epochs=1)
    quantized = quantize_aware_train(inner_relu_model(), stage, stage, qat_context(tmp_path)).model
    file = int8_file(quantized.model)
    assert file.float_operators == []
    assert {kernel.dtype for kernel in file.kernels} == {"int8"}
    assert not {"QUANTIZE", "DEQUANTIZE"} & set(file.operators)
