"""Bytes by layer sum up to the file."""

from __future__ import annotations

from tfopt.backend.audit.layer_sizes import layer_sizes
from tfopt.core.records.layer_sizes import REST
from tfopt.core.records.report import TensorRecord


def tensor(layer: str | None, size: int, entropy: int | None = 1) -> TensorRecord:
    return TensorRecord(
        name="net/w;more", layer=layer, dtype="int8", shape=[size], bytes=size, sparsity=0, unique=1,
        quantization="none", entropy_bytes=entropy,
    )  # fmt: skip


def test_tensors_of_a_layer_count_together_and_the_rest_is_structure() -> None:
    found = layer_sizes([tensor("a", 10), tensor("b", 30), tensor("a", 40), tensor(None, 5, None), tensor("b", 0)], 100)
    assert [(size.layer, size.bytes, size.entropy_bytes, size.values) for size in found] == [
        ("a", 50, 2, 50),
        ("b", 30, 1, 30),
        (REST, 15, None, 0),
        ("net/w", 5, None, 5),
    ]
    assert sum(size.bytes for size in found) == 100
