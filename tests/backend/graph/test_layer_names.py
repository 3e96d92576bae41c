"""From the converter's tensor names back to Keras layers (names as measured from TensorFlow 2.21)."""

from __future__ import annotations

import pytest

from tfopt.backend.graph.layer_names import LayerNames

NAMES = LayerNames(
    ["stem", "norm", "act", "hidden", "block/conv", "conv", "mha", "quant_code", "query", "net", "stem_depthwise"],
    aliases={"conv_pointwise": "conv", "conv": "conv"},
)


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
        ("net/quant_conv_pointwise/Conv2D", "conv"),
        ("net/stem_depthwise/depthwise", "stem_depthwise"),
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


def test_a_name_without_a_kernel_leaves_the_question_to_the_operator() -> None:
    folded = LayerNames(["hidden", "hidden_norm", "Conv_head"])
    assert folded.of_kernel("net/hidden_norm/batchnorm/mul_1") is None
    assert folded.of("net/hidden_norm/batchnorm/mul_1") == "hidden_norm"
    assert folded.of_kernel("net/Conv_head/Relu") is None
    assert folded.of_kernel("net/hidden/MatMul;net/hidden_norm/batchnorm/mul_1") == "hidden"
