"""Compressed shards, whose records cannot be read one by one: written out once, without compression."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from tfopt.atomic import replacing
from tfopt.backend.data.arrays.decoded import identity_of_files
from tfopt.errors import StageError

_GZIP, _ZLIB = b"\x1f\x8b", (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_ANY_FORMAT = 47
"""Of `zlib.decompressobj`: the largest window, and either of gzip's and zlib's header."""
_PART = 1 << 20
_HEADER = 12
"""Bytes of a record before its content; a shard without compression could begin with the two bytes of zlib."""


def is_compressed(shard: Path) -> bool:
    """Whether a file is compressed by gzip or zlib, which `TFRecordOptions` call GZIP and ZLIB.

    Raises:
        StageError: it cannot be read.
    """
    try:
        with shard.open("rb") as stream:
            begin = stream.read(_HEADER)
    except OSError as error:
        raise StageError(
            f"{shard} cannot be read: {error.strerror or error}.", "Check the path.", code="data_unreadable"
        ) from error
    if begin[:2] == _GZIP:
        return True
    # The length of a record: the upper half of its eight bytes is 0 for any below 4 GB.
    return begin[:2] in _ZLIB and begin[4:8] != bytes(4)


def plain_shards(shards: Sequence[Path], folder: Path) -> list[Path]:
    """The files to read in place of shards: those that are not compressed, and copies of the others.

    Args:
        shards: in order.
        folder: where the copies are kept, by the name, size and time of change of their shards.

    Raises:
        StageError: a shard is truncated or damaged, or the disk is full.
    """
    return [_copied(shard, folder) if is_compressed(shard) else shard for shard in shards]


def _copied(shard: Path, folder: Path) -> Path:
    copy = folder / identity_of_files([shard.absolute()], Path("/"), "without compression") / "records.tfrecord"
    if copy.exists():
        return copy
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with replacing(copy) as temporary, temporary.open("wb") as stream:
            for part in _decompressed(shard):
                stream.write(part)
    except OSError as error:
        free = shutil.disk_usage(folder).free
        raise StageError(
            f"{shard} is compressed, and its content cannot be written to {copy}: {error.strerror or error} "
            f"({free / 2**30:.1f} GiB free).",
            "Free some space, choose a different folder with --out, or write the shards without compression.",
            code="cannot_write",
        ) from error
    return copy


def _decompressed(shard: Path) -> Iterator[bytes]:
    """The content, in parts; gzip files may follow each other in one."""
    size, end = shard.stat().st_size, b""
    reader = zlib.decompressobj(_ANY_FORMAT)
    with shard.open("rb") as stream:
        while rest := end or stream.read(_PART):
            if reader.eof:
                reader = zlib.decompressobj(_ANY_FORMAT)
            try:
                yield reader.decompress(rest)
            except zlib.error as error:
                raise StageError(
                    f"{shard} is damaged: before byte {stream.tell():,} of {size:,}, its "
                    f"compressed content is wrong ({error}).",
                    "Write or copy this shard again.",
                    code="invalid_data",
                ) from error
            end = reader.unused_data
    if not reader.eof:
        raise StageError(
            f"{shard} is truncated: its compressed content goes on after its {size:,} bytes.",
            "Write or copy this shard again.",
            code="invalid_data",
        )
