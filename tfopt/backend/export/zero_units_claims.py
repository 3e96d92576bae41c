"""The claim about whole heads and blocks that are zero: the weights of a file, head by head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfopt.backend.audit.tensor_values import numbers, quantization_scales, stored_zero
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.types import Array
from tfopt.core.claims.zero_units import zero_units_claim
from tfopt.core.records.report import AuditRecord, ClaimRecord
from tfopt.core.records.zero_units import KernelSlices, ZeroHeads, ZeroUnits


def zero_units_claims(promise: ZeroUnits, file: Path, audit: AuditRecord) -> list[ClaimRecord]:
    """One claim about the heads and blocks that a prune stage made zero.

    Args:
        promise: of the stage.
        file: the `.tflite` file.
        audit: what it contains.
    """
    zeros = _zeros(file)
    wrong = {heads.layer: _wrong(heads, audit, zeros) for heads in promise.heads}
    return [zero_units_claim(promise, wrong, audit)]


def _zeros(file: Path) -> dict[str, Array]:
    """Where the stored tensors of 2 and more axes are zero, by their names."""
    read = flatbuffer.read(file)
    found: dict[str, Array] = {}
    for graph in read.model.subgraphs:
        for tensor in graph.tensors:
            values = read.values(tensor)
            if values is None or values.ndim < 2:
                continue
            quantization = tensor.quantization
            points = numbers(quantization.zeroPoint if quantization is not None else None).astype(np.int64)
            per_channel = quantization_scales(tensor).size > 1
            axis = int(quantization.quantizedDimension) if per_channel else 0
            found[flatbuffer.text(tensor.name)] = np.equal(values, stored_zero(points, values.ndim, axis))
    return found


def _wrong(heads: ZeroHeads, audit: AuditRecord, zeros: dict[str, Array]) -> Sequence[str]:
    """Kernels for which the file has no tensor with their zeros."""
    own = [tensor for tensor in audit.tensors if tensor.role == "weight" and tensor.layer == heads.layer]
    left = {tensor.name: zeros[tensor.name] for tensor in own if tensor.name in zeros}
    if not left:
        return ["no weights of it found in the file"]
    wrong: list[str] = []
    for kernel in heads.kernels:
        name = next((name for name, values in left.items() if _has_zeros(values, kernel)), None)
        if name is None:
            side = "inputs" if kernel.inputs else "outputs"
            wrong.append(f"no tensor whose {side} {_listed(kernel)} of {kernel.slices} are zero")
        else:
            del left[name]
    return wrong


def _has_zeros(zero: Array, kernel: KernelSlices) -> bool:
    """Whether the slices of a kernel are zero in a tensor, whose outputs come first and whose inputs come last."""
    size = zero.shape[-1] if kernel.inputs else zero.shape[0]
    if size % kernel.slices:
        return False
    shape = (-1, kernel.slices, size // kernel.slices) if kernel.inputs else (1, kernel.slices, -1)
    slices: Array = np.all(zero.reshape(shape), axis=(0, 2))
    return bool(slices[list(kernel.zero)].all())


def _listed(kernel: KernelSlices) -> str:
    return ", ".join(str(one + 1) for one in kernel.zero)
