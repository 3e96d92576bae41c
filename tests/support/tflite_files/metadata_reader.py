"""Reads TFLite metadata with `struct` alone: written from metadata_schema.fbs, and shares nothing with the writer.

Checked against `flatc --json` with MediaPipe's schema, version 1.5.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

FILE = {"name": "text", "description": "text", "type": "int8", "locale": "text"}
UNIT = {"options": {1: {"mean": "floats", "std": "floats"}}}
CONTENT = {
    "content_properties": {1: {}, 2: {"color_space": "int8", "default_size": {"width": "uint32", "height": "uint32"}}},
    "range": {"min": "uint32", "max": "uint32"},
}
TENSOR = {
    "name": "text",
    "description": "text",
    "dimension_names": ["text"],
    "content": CONTENT,
    "process_units": [UNIT],
    "stats": {"max": "floats", "min": "floats"},
    "associated_files": [FILE],
}
SUBGRAPH = {
    "name": "text",
    "description": "text",
    "input_tensor_metadata": [TENSOR],
    "output_tensor_metadata": [TENSOR],
}
MODEL = {
    "name": "text",
    "description": "text",
    "version": "text",
    "subgraph_metadata": [SUBGRAPH],
    "author": "text",
    "license": "text",
    "associated_files": [FILE],
    "min_parser_version": "text",
}
"""Fields in the order of the schema; a dict whose keys are numbers is a union."""

TFLITE = {
    "version": "uint32",
    "operator_codes": None,
    "subgraphs": None,
    "description": "text",
    "buffers": [{"data": "bytes"}],
    "metadata_buffer": None,
    "metadata": [{"name": "text", "buffer": "uint32"}],
}


def read_table(content: bytes, schema: Mapping[str, Any], position: int | None = None) -> dict[str, Any]:
    """A table as a dict of the fields that are there; the root table without a position."""
    at = _word(content, 0) if position is None else position
    vtable = at - struct.unpack_from("<i", content, at)[0]
    size = struct.unpack_from("<H", content, vtable)[0]
    found: dict[str, Any] = {}
    slot = 4
    for name, kind in schema.items():
        union = isinstance(kind, dict) and kind and all(isinstance(key, int) for key in kind)
        places = []
        for _ in range(2 if union else 1):
            offset = struct.unpack_from("<H", content, vtable + slot)[0] if slot < size else 0
            places.append(at + offset if offset else 0)
            slot += 2
        if not places[-1] or kind is None:
            continue
        if union:
            kind = kind[content[places[0]]]
            found[f"{name}_type"] = content[places[0]]
        found[name] = _value(content, kind, places[-1])
    return found


def _value(content: bytes, kind: Any, place: int) -> Any:
    if kind == "int8":
        return content[place]
    if kind == "uint32":
        return _word(content, place)
    target = place + _word(content, place)
    if isinstance(kind, dict):
        return read_table(content, kind, target)
    count = _word(content, target)
    if kind == "floats":
        return list(struct.unpack_from(f"<{count}f", content, target + 4))
    if kind in ("text", "bytes"):
        raw = content[target + 4 : target + 4 + count]
        return raw.decode() if kind == "text" else raw
    return [_value(content, kind[0], target + 4 + 4 * index) for index in range(count)]


def _word(content: bytes, place: int) -> int:
    return int(struct.unpack_from("<I", content, place)[0])


def metadata_in(tflite: bytes) -> bytes:
    """The buffer named TFLITE_METADATA."""
    model = read_table(tflite, TFLITE)
    (entry,) = [entry for entry in model["metadata"] if entry["name"] == "TFLITE_METADATA"]
    found: bytes = model["buffers"][entry["buffer"]]["data"]
    return found


def read_metadata(tflite: bytes) -> dict[str, Any]:
    """What the metadata of a file says."""
    content = metadata_in(tflite)
    assert content[4:8] == b"M001"
    return read_table(content, MODEL)


def files_in(tflite: bytes) -> dict[str, bytes]:
    """Associated files."""
    with zipfile.ZipFile(io.BytesIO(tflite)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
