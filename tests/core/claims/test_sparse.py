"""A sparse file that some kernel computes wrongly breaks its claim, with operator and layer."""

from __future__ import annotations

from typing import Any

from tfopt.core.claims.agreement import OutputComparison
from tfopt.core.claims.kernels import RuntimeCheck
from tfopt.core.claims.sparse import sparse_claim
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.records.report import AuditRecord, ClaimRecord, TensorRecord


def claim(runtime: RuntimeCheck | None = None, **tensor: Any) -> ClaimRecord:
    weights = TensorRecord(
        **{
            "name": "net/head/MatMul", "layer": "head", "dtype": "int8", "shape": [4, 32], "bytes": 10, "sparsity": 0.8,
            "unique": 9, "quantization": "per-channel", "role": "weight", "sparse_encoding": True, "sparse_block": 16,
            "operator": "FULLY_CONNECTED", "activations": "int8",
            **tensor,
        }
    )  # fmt: skip
    audit = AuditRecord(inputs=[], outputs=[], operators={}, float_operators={}, sparsity=0.8, tensors=[weights])
    return sparse_claim(Variant(quantize="int8", sparse=True), audit, runtime or RuntimeCheck())


def test_it_says_how_each_layer_is_encoded() -> None:
    found = claim()
    assert found.held
    assert found.found == "FULLY_CONNECTED (layer head), int8 weights in blocks of 16 inputs"
    assert claim(sparse_encoding=False, sparse_block=0).found == "no weights have zeros enough to be encoded"


def test_an_encoding_that_a_kernel_computes_wrongly_names_operator_and_layer() -> None:
    found = claim(sparse_block=1)
    assert not found.held
    assert found.code == "sparse_encoding"
    assert found.found.startswith("FULLY_CONNECTED (layer head), int8 weights with zeros that fill no blocks: XNNPACK")


def test_what_was_measured_counts_too() -> None:
    assert "NaN in the outputs on XNNPACK" in claim(RuntimeCheck(not_numbers=("default",))).found
    assert "the built-in kernels: refused" in claim(RuntimeCheck(builtin_error="refused")).found
    different = RuntimeCheck(builtin=OutputComparison(64, share=0.2))
    assert "outputs on XNNPACK and on the built-in kernels differ: 20.00%" in claim(different).found
    assert claim(RuntimeCheck(builtin=OutputComparison(64, share=1.0))).held
