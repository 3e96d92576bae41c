"""From the converter's tensor names back to Keras layers (names as measured from TensorFlow 2.21)."""

from __future__ import annotations

import pytest

from tfopt.backend.layer_names import LayerNames

NAMES = LayerNames(["stem", "norm", "act", "hidden", "block/conv", "conv", "mha", "quant_code", "query", "net"])


@pytest.mark.parametrize(
    ("tensor", "layer"),
    [
        ("net/stem/Conv2D", "stem"),
        ("net/act/Relu;net/norm/FusedBatchNormV3;net/stem/Conv2D", "stem"),
        ("net/act/Relu;net/norm/FusedBatchNormV3", "act"),
        ("net/quant_hidden/MatMul;net/quant_hidden/LastValueQuant/FakeQuantWithMinMaxVars", "hidden"),
        ("net/quant_code/MatMul", "quant_code"),
        ("net/backbone/conv/Conv2D", "conv"),
        ("net/block/conv/Conv2D1", "block/conv"),
        ("model/mha/Mul;model/mha/query/einsum/Einsum;model/mha/Mul/y", "mha"),
        ("model/query/MatMul", "query"),
        ("net/hidden/MatMul", "hidden"),
        ("net", "net"),
        ("arith.constant4", None),
        ("StatefulPartitionedCall:0", None),
        ("net/stems/Conv2D", None),
        ("", None),
    ],
)
def test_a_tensor_belongs_to_the_layer_whose_kernel_it_is(tensor: str, layer: str | None) -> None:
    assert NAMES.of(tensor) == layer


def test_without_names_nothing_is_known() -> None:
    assert LayerNames(()).of("net/stem/Conv2D") is None
