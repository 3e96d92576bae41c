"""Values of one tensor of a `.tflite` file: how they are stored, and what they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.tflite import flatbuffer
from tfopt.backend.types import Array


def stored_values(file: flatbuffer.File, tensor: schema.TensorT) -> int | None:
    """How many values a sparse tensor stores; None where it is stored as it is."""
    raw = file.raw(tensor)
    return None if tensor.sparsity is None or raw is None else flatbuffer.count(raw, flatbuffer.DTYPES[tensor.type])


def sparse_block(tensor: schema.TensorT) -> int:
    """How many values its sparse encoding stores together; 0 where it has none."""
    if tensor.sparsity is None:
        return 0
    blocks = tensor.sparsity.blockMap
    inner = tensor.sparsity.dimMetadata[len(tensor.sparsity.dimMetadata) - len(blocks if blocks is not None else ()) :]
    return prod(int(dimension.denseSize) for dimension in inner)


def quantization_scales(tensor: schema.TensorT) -> Array:
    """The scales of a tensor, empty where it is not quantized.

    Raises:
        ValueError: one is not finite.
    """
    scales = numbers(tensor.quantization.scale if tensor.quantization is not None else None)
    if not np.isfinite(scales).all():
        raise ValueError(f"a scale of tensor {flatbuffer.text(tensor.name)!r} is not a finite number")
    return scales


def numbers(values: Sequence[float] | None) -> Array:
    """A list of a flatbuffer, which may be absent."""
    return np.asarray(values if values is not None else ())


def stored_zero(zero_points: Array, rank: int, axis: int) -> Array | int:
    """The stored value that means 0.0, shaped to compare with a tensor of that rank."""
    if zero_points.size == 0:
        return 0
    if zero_points.size == 1:
        return zero_points[0]
    return zero_points.reshape([-1 if dimension == axis else 1 for dimension in range(rank)])


def most_distinct(values: Array, axis: int) -> int:
    """The most distinct values that one channel has."""
    channels = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
    return max(int(np.unique(channel).size) for channel in channels)


def stored_bytes(file: flatbuffer.File, tensor: schema.TensorT) -> int:
    """Bytes of a tensor in the file, those of its sparse encoding included."""
    raw = file.raw(tensor)
    size = 0 if raw is None else int(raw.nbytes)
    for metadata in tensor.sparsity.dimMetadata if tensor.sparsity is not None else ():
        for array in (metadata.arraySegments, metadata.arrayIndices):
            size += int(np.asarray(array.values).nbytes) if array is not None else 0
    return size
