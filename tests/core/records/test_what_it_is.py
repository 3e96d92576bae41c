"""Files whose names do not tell what they are."""

from __future__ import annotations

from typing import Any

from tfopt.core.records.report import AuditRecord, PortRecord, TensorRecord
from tfopt.core.records.what_it_is import what_it_is


def audit(*weights: dict[str, Any], operators: dict[str, int] | None = None, zstd: int | None = 1234) -> AuditRecord:
    plain = {
        "name": "w", "layer": None, "dtype": "float32", "shape": [64, 64], "bytes": 16384, "sparsity": 0.0,
        "unique": 4096, "quantization": "none", "role": "weight", "operator": "FULLY_CONNECTED",
        "activations": "float32",
    }  # fmt: skip
    tensors = [TensorRecord(**{**plain, **each}) for each in weights]
    port = PortRecord(name="y", dtype="float32", shape=[1, 64])
    return AuditRecord(
        inputs=[port],
        outputs=[port],
        operators=operators or {"FULLY_CONNECTED": 1},
        float_operators={},
        sparsity=0.0,
        tensors=tensors,
        zstd_bytes=zstd,
    )


def test_a_plain_float_file_needs_no_words() -> None:
    assert what_it_is(audit({}), "model.tflite") == ()
    assert what_it_is(audit(), "model.tflite") == ()


def test_integer_weights_in_a_file_called_float() -> None:
    name, types = what_it_is(audit({"dtype": "int8"}), "mobilenet_float32.tflite")
    assert name == "the name says float32, but it holds int8 weights"
    assert types == "weights are int8, computed in float (dynamic range)"
    assert what_it_is(audit({"dtype": "uint8", "activations": "uint8"}), "model_uint8.tflite")[0].startswith("weights")
    assert what_it_is(audit({}), "checkpoint8.tflite") == ()
    (only,) = what_it_is(audit({"dtype": "int8"}, operators={"DEQUANTIZE": 9}))
    assert only == "weights are int8, computed in float (weights only)"
    assert what_it_is(audit({"dtype": "int8", "activations": "int8"})) == ("weights are int8, computed in int8",)


def test_a_file_of_two_kinds_of_weights() -> None:
    (found,) = what_it_is(audit({"dtype": "int8"}, {"dtype": "int8"}, {"dtype": "int8"}, {}))
    assert found == ("75% of the weights are int8, computed in float (dynamic range); 25% of the weights are float32")


def test_shared_values_make_no_file_smaller() -> None:
    assert what_it_is(audit({"unique": 16})) == (
        "16 distinct values per tensor, stored as float32: no byte smaller uncompressed; 1.23 kB by zstd",
    )
    integers = {"dtype": "int8", "activations": "int8", "unique": 16, "quantization": "per-channel"}
    assert what_it_is(audit(integers, zstd=None))[1:] == (
        "16 distinct values per channel, stored as int8: no byte smaller uncompressed",
    )
    assert what_it_is(audit({"dtype": "int4", "unique": 16})) == (
        "weights are int4, computed in float (dynamic range)",
    )


def test_zeros_that_are_stored() -> None:
    assert what_it_is(audit({"sparsity": 0.7}), "sparse.tflite") == (
        "70% of the weights are zeros, stored like all others: no byte smaller uncompressed; 1.23 kB by zstd",
    )
    encoded = {"sparsity": 0.75, "sparse_encoding": True, "stored_values": 2048}
    assert what_it_is(audit(encoded)) == (
        "the sparse format stores 2,048 of 4,096 weights, 50% of which are zeros all the same",
    )
