"""Writes tables of a FlatBuffer by the positions of their fields, with the builder of `flatbuffers`.

The generated code of `metadata_schema.fbs` has 3,000 lines, of which a writer needs a few positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import flatbuffers

_WORD = 4
"""Bytes of an offset."""


@dataclass(frozen=True)
class Byte:
    """A value of one byte: an enumeration, or the type of a union.

    Args:
        value: 0 to 127.
    """

    value: int


@dataclass(frozen=True)
class Unsigned:
    """A 32-bit number.

    Args:
        value: at least 0.
    """

    value: int


@dataclass(frozen=True)
class Floats:
    """A vector of 32-bit floats.

    Args:
        values: in order.
    """

    values: tuple[float, ...]


@dataclass(frozen=True)
class Table:
    """A table: values by the position of their field in the schema; None and empty lists are left out.

    Args:
        fields: position to value.
    """

    fields: Mapping[int, Value]


Value: TypeAlias = "str | Byte | Unsigned | Floats | Table | list[Table] | list[str] | None"


def encoded(root: Table, identifier: bytes) -> bytes:
    """The bytes of a FlatBuffer.

    Args:
        root: its root table.
        identifier: four bytes at offset 4.
    """
    builder = flatbuffers.Builder(1024)
    builder.Finish(_table(builder, root), identifier)
    return bytes(builder.Output())


def _table(builder: flatbuffers.Builder, table: Table) -> int:
    given = {position: value for position, value in table.fields.items() if value not in (None, [], "")}
    # Whatever a table points to must be written before it is begun.
    offsets = {position: _child(builder, value) for position, value in given.items() if not _inline(value)}
    builder.StartObject(max(given, default=-1) + 1)
    for position, value in given.items():
        if isinstance(value, Byte):
            builder.PrependInt8Slot(position, value.value, -1)  # defaults too are written: readers show them
        elif isinstance(value, Unsigned):
            builder.PrependUint32Slot(position, value.value, 0)
        else:
            builder.PrependUOffsetTRelativeSlot(position, offsets[position], 0)
    return builder.EndObject()


def _inline(value: Value) -> bool:
    return isinstance(value, (Byte, Unsigned))


def _child(builder: flatbuffers.Builder, value: Value) -> int:
    if isinstance(value, str):
        return builder.CreateString(value)
    if isinstance(value, Table):
        return _table(builder, value)
    if isinstance(value, Floats):
        builder.StartVector(_WORD, len(value.values), _WORD)
        for number in reversed(value.values):
            builder.PrependFloat32(number)
        return builder.EndVector()
    if not isinstance(value, list):
        raise TypeError(f"a table cannot point to {value!r}")
    offsets = [_child(builder, part) for part in value]
    builder.StartVector(_WORD, len(offsets), _WORD)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()
