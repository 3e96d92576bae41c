"""Audits of files that exist only in a test."""

from __future__ import annotations

from typing import Any

from tfopt.core.records.report import AuditRecord, PortRecord, TensorRecord


def tensor(layer: str | None = "stem", **changes: Any) -> TensorRecord:
    values: dict[str, Any] = {
        "name": f"model/{layer}/Conv2D",
        "layer": layer,
        "dtype": "int8",
        "shape": [16, 3, 3, 8],
        "bytes": 1152,
        "sparsity": 0.8,
        "unique": 40,
        "quantization": "per-channel",
        "scales": 16,
        "role": "weight",
    }
    return TensorRecord(**{**values, **changes})


def audit(*tensors: TensorRecord, io: str = "int8", **changes: Any) -> AuditRecord:
    values: dict[str, Any] = {
        "inputs": [PortRecord(name="image", dtype=io, shape=[-1, 8, 8, 1])],
        "outputs": [PortRecord(name="probabilities", dtype=io, shape=[-1, 10])],
        "operators": {"CONV_2D": 1},
        "float_operators": {},
        "sparsity": 0.8,
        "tensors": list(tensors),
    }
    return AuditRecord(**{**values, **changes})
