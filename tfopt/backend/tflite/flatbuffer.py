"""Reads and writes a `.tflite` file as data: no interpreter, so that a malformed file cannot abort the process.

`ai_edge_litert.tools.flatbuffer_utils` parses the file. Values in NumPy, packed and sparse tensors, and errors that
name the file are not in that library.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from tfopt.backend.types import Array
from tfopt.errors import ExportError

DTYPES = {code: name.lower() for name, code in vars(schema.TensorType).items() if name.isupper()}
_OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
_NUMPY = {
    "float64": np.float64,
    "float32": np.float32,
    "float16": np.float16,
    "int64": np.int64,
    "int32": np.int32,
    "int16": np.int16,
    "int8": np.int8,
    "uint64": np.uint64,
    "uint32": np.uint32,
    "uint16": np.uint16,
    "uint8": np.uint8,
    "bool": np.bool_,
    "bfloat16": np.uint16,
    "float8_e4m3fn": np.uint8,
    "float8_e5m2": np.uint8,
}
_PACKED_BITS = {"int4": 4, "uint4": 4, "int2": 2}
_DENSE = schema.DimensionType.DENSE


@dataclass(frozen=True)
class File:
    """A parsed file.

    Args:
        model: the tree of the schema; its classes have no types, so mypy sees `Any`.
    """

    model: schema.ModelT

    def operator_name(self, operator: schema.OperatorT) -> str:
        """TFLite's name of an operator; a custom one by its own code."""
        code = self.model.operatorCodes[operator.opcodeIndex]
        name = _OPERATORS[flatbuffer_utils.get_builtin_code_from_operator_code(code)]
        return text(code.customCode) if name == "CUSTOM" else name

    def raw(self, tensor: schema.TensorT) -> Array | None:
        """The stored bytes of a tensor, or None if it holds no data."""
        data = self.model.buffers[tensor.buffer].data
        return None if data is None or len(data) == 0 else np.frombuffer(data, np.uint8)

    def values(self, tensor: schema.TensorT) -> Array | None:
        """The values of a tensor in its own dtype and shape, unpacked and with sparse encoding undone.

        bfloat16 and float8 come as their bit patterns, text as None.
        """
        raw = self.raw(tensor)
        if raw is None or DTYPES[tensor.type] in ("string", "resource", "variant", "complex64", "complex128"):
            return None
        shape = tuple(int(size) for size in (tensor.shape if tensor.shape is not None else ()))
        if tensor.sparsity is not None:
            try:
                return _densify(_unpack(raw, DTYPES[tensor.type], None), shape, tensor.sparsity)
            except ValueError as error:
                raise ValueError(f"tensor {text(tensor.name)!r}: {error}") from error
        return _unpack(raw, DTYPES[tensor.type], int(np.prod(shape))).reshape(shape)


@dataclass(frozen=True)
class Blocks:
    """Scales of a tensor that is quantized in blocks.

    Args:
        size: how many values of a row share a scale.
        scales: one per block, (rows, blocks of a row).
    """

    size: int
    scales: Array

    def spread(self, shape: tuple[int, ...]) -> Array:
        """The scale of each value of a tensor of that shape."""
        return np.repeat(self.scales.reshape(shape[0], -1), self.size, axis=1).reshape(shape)


def blocks(file: File, graph: schema.SubGraphT, tensor: schema.TensorT) -> Blocks | None:
    """The scales of a tensor that is quantized in blocks; None for any other."""
    quantization = tensor.quantization
    if quantization is None or quantization.detailsType != schema.QuantizationDetails.BlockwiseQuantization:
        return None
    scales = file.values(graph.tensors[quantization.details.scales])
    if scales is None:
        raise ValueError(f"the scales of the blocks of {text(tensor.name)!r} are not in the file")
    return Blocks(int(quantization.details.blockSize), scales.astype(np.float32))


def text(value: bytes | str | None) -> str:
    """A name of the schema as text, without characters that a terminal would obey."""
    found = value.decode("utf-8") if isinstance(value, bytes) else value or ""
    return found if found.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in found)


def read(path: Path) -> File:
    """Parses a `.tflite` file.

    Raises:
        ExportError: the file cannot be read, or is not a well-formed `.tflite` file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ExportError(f"Cannot read {path}: {error.strerror or error}.", code="cannot_read") from error
    if content[4:8] != b"TFL3":
        raise ExportError(
            f"{path} is not a .tflite file: it does not carry TFLite's mark 'TFL3' at byte 4.", code="malformed_file"
        )
    try:
        return File(flatbuffer_utils.read_model_from_bytearray(content))
    except MALFORMED as error:
        raise malformed(path, error) from error


def parse(content: bytes) -> File:
    """Parses the bytes of a `.tflite` file that a converter made just now."""
    return File(flatbuffer_utils.read_model_from_bytearray(bytearray(content)))


def serialize(file: File) -> bytes:
    """The bytes of a file."""
    return bytes(flatbuffer_utils.convert_object_to_bytearray(file.model))


MALFORMED = (struct.error, IndexError, KeyError, ValueError, TypeError, AttributeError, OverflowError, MemoryError)
"""Exceptions of flatbuffers and NumPy for offsets outside of a file and for fields that contradict each other."""


def malformed(path: Path, error: BaseException) -> ExportError:
    """The error for a file whose content contradicts itself."""
    return ExportError(
        f"{path} is malformed: {type(error).__name__}: {error}.",
        "It was truncated, damaged or written wrongly; copy or export it again.",
        code="malformed_file",
    )


def count(raw: Array, dtype: str) -> int:
    """How many values of a dtype some bytes hold."""
    return (
        int(raw.nbytes) * 8 // _PACKED_BITS.get(dtype, np.dtype(_NUMPY[dtype]).itemsize * 8 if dtype in _NUMPY else 8)
    )


def _unpack(raw: Array, dtype: str, count: int | None) -> Array:
    if dtype not in _PACKED_BITS:
        return np.frombuffer(raw.tobytes(), _NUMPY[dtype], count=-1 if count is None else count)
    bits = _PACKED_BITS[dtype]
    parts = [(raw >> shift) & (2**bits - 1) for shift in range(0, 8, bits)]  # lowest bits first
    values = np.stack(parts, axis=-1).reshape(-1).astype(np.int8)
    if dtype.startswith("int"):
        values = np.where(values >= 2 ** (bits - 1), values - 2**bits, values).astype(np.int8)
    return values[:count]


def _densify(stored: Array, shape: tuple[int, ...], sparsity: schema.SparsityParametersT) -> Array:
    """Undoes TFLite's sparse encoding (TACO format: tensorflow/lite/schema/schema.fbs, SparsityParameters)."""
    order = [int(level) for level in sparsity.traversalOrder]
    blocks = [int(axis) for axis in (sparsity.blockMap if sparsity.blockMap is not None else ())]
    position = np.zeros(1, dtype=np.int64)
    coordinates: dict[int, Array] = {}
    for level, metadata in zip(order, sparsity.dimMetadata, strict=True):
        if metadata.format == _DENSE:
            counts = np.full(len(position), metadata.denseSize, dtype=np.int64)
            index = np.tile(np.arange(metadata.denseSize), len(position))
            following = np.repeat(position, counts) * metadata.denseSize + index
        else:
            segments = np.asarray(metadata.arraySegments.values, dtype=np.int64)
            counts = segments[position + 1] - segments[position]
            starts = np.repeat(segments[position] - np.cumsum(counts) + counts, counts)
            following = starts + np.arange(int(counts.sum()))
            index = np.asarray(metadata.arrayIndices.values, dtype=np.int64)[following]
        coordinates = {axis: np.repeat(values, counts) for axis, values in coordinates.items()}
        coordinates[level] = index
        position = following
    sizes = {axis: int(m.denseSize) for axis, m in zip(order, sparsity.dimMetadata, strict=True)}
    place = [coordinates[axis] for axis in range(len(shape))]
    for number, axis in enumerate(blocks):
        place[axis] = place[axis] * sizes[len(shape) + number] + coordinates[len(shape) + number]
    if any(axis.size and axis.max() >= size for axis, size in zip(place, shape, strict=True)):
        # The converter of TensorFlow 2.21 does this to int8 weights narrower than its block of 16, and loses the rest.
        raise ValueError(f"its sparse encoding puts values outside of the shape {shape}")
    dense = np.zeros(shape, dtype=stored.dtype)
    dense[tuple(place)] = stored[position]
    return dense
