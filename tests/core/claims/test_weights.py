"""The weights of a file have the dtype of its mode, or the claim names the tensor and the layer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.audits import audit, tensor
from tfopt.core.claims.floats import FloatLayers
from tfopt.core.claims.weights import weights_claim
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.records.report import ClaimRecord, TensorRecord

DYNAMIC = Variant(quantize="dynamic")


def claim(variant: Variant, *tensors: TensorRecord) -> ClaimRecord:
    return weights_claim(variant, audit(*tensors, io="float32"), FloatLayers(), {})


@pytest.mark.parametrize(
    ("quantize", "honest", "lie"),
    [("none", "float32", "int8"), ("float16", "float16", "float32"), ("dynamic", "int8", "float32")],
)
def test_the_weights_have_the_type_that_the_variant_names(quantize: Any, honest: str, lie: str) -> None:
    variant = Variant(quantize=quantize)
    assert claim(variant, tensor(dtype=honest)).held
    broken = claim(variant, tensor(dtype=lie))
    assert not broken.held
    assert f"(layer stem) is {lie}" in broken.found


def test_dynamic_range_leaves_small_kernels_in_float_and_the_claim_says_so() -> None:
    small = tensor("head", dtype="float32", shape=[10, 64])
    found = claim(DYNAMIC, tensor(), small)
    assert found.held
    assert found.claim.startswith("weights of 1,024 or more elements are int8")
    assert found.found == (
        "1 of 2 weight tensors are int8, float32 because small: tensor 'model/head/Conv2D' (layer head)"
    )
    large = tensor("head", dtype="float32", shape=[16, 64])
    assert not claim(DYNAMIC, tensor(), large).held


def test_dynamic_range_leaves_an_lstm_with_a_small_kernel_in_float_as_a_whole() -> None:
    fused = {"operator": "UNIDIRECTIONAL_SEQUENCE_LSTM", "dtype": "float32"}
    kernels = [tensor("lstm", **fused, shape=shape) for shape in ([40, 10], [40, 40])]
    found = claim(DYNAMIC, *kernels)
    assert found.held
    assert "float32 because small" in found.found
    # One whose kernels are all large becomes int8.
    assert not claim(DYNAMIC, tensor("lstm", **fused, shape=[40, 40])).held
