"""Puts metadata into a `.tflite`; the model follows as it was, byte for byte.

A FlatBuffer's references are relative and point forward. So a new root table is put in front, which refers to all
parts of the old file where they are, and to one more buffer with the metadata. Weights keep their alignment, which
`flatbuffers` for Python loses when a file is parsed and written again. Associated files follow as a zip archive, which
readers find from the end of the file.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

import flatbuffers
from flatbuffers.table import Table

from tfopt.errors import ExportError

NAME = "TFLITE_METADATA"
"""Of the buffer, by which readers find it."""

_MARK = b"TFL3"
_ALIGNMENT = 64
"""Of the part in front: a multiple of that of every buffer behind it."""
_VERSION, _BUFFERS, _METADATA, _NUM_FIELDS = 0, 4, 6, 8
"""Fields of the schema's table Model."""
_METADATA_NAME, _BUFFER_OFFSET = 0, 1
"""A field of the table Metadata, and one of the table Buffer."""
_LARGEST = 2**31 - 1
_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file in the archive: the same contents give the same bytes."""


def attached(model: bytes, metadata: bytes, files: Mapping[str, bytes]) -> bytes:
    """A `.tflite` with metadata; the old file is a part of it, byte for byte.

    Args:
        model: of a well-formed `.tflite`.
        metadata: a FlatBuffer of `metadata_schema.fbs`.
        files: associated files by the names that the metadata has for them.

    Raises:
        ExportError: the file keeps its weights outside of its FlatBuffer, or would be larger than 2 GB.
    """
    root = Table(model, flatbuffers.encode.Get(flatbuffers.packer.uoffset, model, 0))
    if _has_buffers_outside(root):
        raise ExportError(
            "Metadata cannot be put into a file that keeps its weights outside of its FlatBuffer (above 2 GB).",
            code="conversion_failed",
        )
    front = _front(root, metadata)
    if len(front) + len(model) > _LARGEST:
        raise ExportError("With metadata the file would be larger than 2 GB.", code="conversion_failed")
    return front + model + _archive(files)


def _field(table: Table, number: int) -> int:
    """Position of a field; 0 where it is absent."""
    offset = table.Offset(4 + 2 * number)
    return table.Pos + offset if offset else 0


def _target(table: Table, number: int) -> int:
    """Position of what a field points to; 0 where it is absent."""
    position = _field(table, number)
    return position + _word(table.Bytes, position) if position else 0


def _vector(table: Table, number: int) -> list[int]:
    """Positions of the tables in a vector of tables."""
    start = _target(table, number)
    if not start:
        return []
    count = _word(table.Bytes, start)
    places = range(start + 4, start + 4 + 4 * count, 4)
    return [place + _word(table.Bytes, place) for place in places]


def _word(content: bytes, position: int) -> int:
    return int(struct.unpack_from("<I", content, position)[0])


def _has_buffers_outside(root: Table) -> bool:
    buffers = (Table(root.Bytes, position) for position in _vector(root, _BUFFERS))
    fields = ((buffer, _field(buffer, _BUFFER_OFFSET)) for buffer in buffers)
    return any(position and struct.unpack_from("<Q", buffer.Bytes, position)[0] > 1 for buffer, position in fields)


def _name(root: Table, entry: int) -> str:
    position = _target(Table(root.Bytes, entry), _METADATA_NAME)
    return root.Bytes[position + 4 : position + 4 + _word(root.Bytes, position)].decode() if position else ""


def _front(root: Table, metadata: bytes) -> bytes:
    """The new root table and what it alone points to; the old file begins right behind it."""
    buffers = _vector(root, _BUFFERS)
    kept = [entry for entry in _vector(root, _METADATA) if _name(root, entry) != NAME]
    name = NAME.encode() + b"\0"

    # Positions of the parts, in order.
    vtable = 8
    table = _up(vtable + 4 + 2 * _NUM_FIELDS, 4)
    buffer_vector = table + 4 + 4 * _NUM_FIELDS
    metadata_vector = buffer_vector + 4 + 4 * (len(buffers) + 1)
    buffer_vtable = metadata_vector + 4 + 4 * (len(kept) + 1)
    buffer = _up(buffer_vtable + 6, 4)
    entry_vtable = buffer + 8
    entry = _up(entry_vtable + 8, 4)
    text = entry + 12
    data = _up(text + 4 + len(name) + 4, 16) - 4  # so that the bytes behind the length are aligned
    end = _up(data + 4 + len(metadata), _ALIGNMENT)

    out = bytearray(end)

    def words(position: int, *values: int) -> None:
        struct.pack_into(f"<{len(values)}I", out, position, *values)

    def halves(position: int, *values: int) -> None:
        struct.pack_into(f"<{len(values)}H", out, position, *values)

    def refer(position: int, target: int) -> None:
        words(position, target - position)

    words(0, table)
    out[4:8] = _MARK
    targets = {number: end + _target(root, number) for number in range(1, _NUM_FIELDS) if _target(root, number)}
    targets |= {_BUFFERS: buffer_vector, _METADATA: metadata_vector}
    present = [number in targets or number == _VERSION for number in range(_NUM_FIELDS)]
    places = [4 + 4 * number if there else 0 for number, there in enumerate(present)]
    halves(vtable, 4 + 2 * _NUM_FIELDS, 4 + 4 * _NUM_FIELDS, *places)
    words(table, table - vtable)
    version = _field(root, _VERSION)
    words(table + 4, _word(root.Bytes, version) if version else 0)
    for number, target in targets.items():
        refer(table + 4 + 4 * number, target)
    for start, old, added in ((buffer_vector, buffers, buffer), (metadata_vector, kept, entry)):
        words(start, len(old) + 1)
        for index, target in enumerate([*(end + position for position in old), added]):
            refer(start + 4 + 4 * index, target)
    halves(buffer_vtable, 6, 8, 4)
    words(buffer, buffer - buffer_vtable)
    refer(buffer + 4, data)
    halves(entry_vtable, 8, 12, 4, 8)
    words(entry, entry - entry_vtable)
    refer(entry + 4, text)
    words(entry + 8, len(buffers))
    words(text, len(name) - 1)
    out[text + 4 : text + 4 + len(name)] = name
    words(data, len(metadata))
    out[data + 4 : data + 4 + len(metadata)] = metadata
    return bytes(out)


def _up(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment


def _archive(files: Mapping[str, bytes]) -> bytes:
    if not files:
        return b""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _TIME), content)
    return written.getvalue()
