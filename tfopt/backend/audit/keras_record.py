"""The parts of an audit that all files of Keras have: records of weights, layer types, inputs and outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfopt.backend.audit import skeleton
from tfopt.backend.audit.layer_sizes import layer_sizes
from tfopt.backend.audit.sizes import entropy_bytes
from tfopt.backend.models.files import contents
from tfopt.backend.models.files.contents import Contents
from tfopt.backend.types import Array
from tfopt.core.claims.tflite import pooled_sparsity
from tfopt.core.records.report import AuditRecord, TensorRecord
from tfopt.errors import StageError


def architecture(path: Path) -> Contents | None:
    """The configuration in a file, of today's form; None where there is none that says how the model is built."""
    try:
        file = contents.read(path).modern()
    except StageError:
        return None
    return None if file.kind == "graph" else file


def tensor_record(name: str, layer: str | None, values: Array) -> TensorRecord:
    """The record of one variable."""
    return TensorRecord(
        name=name,
        layer=layer,
        dtype=str(values.dtype),
        shape=list(values.shape),
        bytes=int(values.nbytes),
        sparsity=float(np.mean(values == 0)) if values.size else 0.0,
        unique=int(np.unique(values).size),
        quantization="none",
        role="weight" if values.ndim >= 2 else "bias",
        entropy_bytes=entropy_bytes(values),
    )


def record(format: str, tensors: list[TensorRecord], file: Contents | None) -> AuditRecord:
    """The audit of a Keras file.

    Args:
        format: of the file.
        tensors: its weights.
        file: its configuration, if it has one.
    """
    layers = [] if file is None else list(_layers(file.config["config"]))
    inputs, outputs = ([], []) if file is None else skeleton.ports(file)
    types = {
        skeleton.type_name(layer["config"].get("dtype")) for layer in layers if layer["class_name"] != "InputLayer"
    }
    return AuditRecord(
        inputs=inputs,
        outputs=outputs,
        operators=dict(sorted(Counter(layer["class_name"] for layer in layers).items())),
        float_operators={},
        sparsity=pooled_sparsity([tensor for tensor in tensors if tensor.role == "weight"]),
        tensors=tensors,
        format=format,
        computes_in=sorted(types - {""}) or (["float32"] if layers else []),
        entropy_bytes=sum(tensor.entropy_bytes or 0 for tensor in tensors),
        layer_sizes=layer_sizes(tensors),
    )


def _layers(config: object) -> Iterator[Mapping[str, Any]]:
    for layer in config.get("layers", ()) if isinstance(config, Mapping) else ():
        yield layer
        yield from _layers(layer["config"])
