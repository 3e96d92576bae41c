"""TFRecord shards, read record by record.

A record is its length (8 bytes) and the checksum of that (4), its content, and the checksum of the content (4).
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfopt.backend.data.records.compressed import plain_shards
from tfopt.backend.types import Array
from tfopt.errors import StageError

_HEADER, _FOOTER = 12, 4
_POLYNOMIAL = 0x82F63B78


class Records:
    """The records of several shards, by number.

    Args:
        shards: in order.
        folder: where the content of compressed shards is kept.

    Raises:
        StageError: a shard is truncated, damaged or no TFRecord.
    """

    def __init__(self, shards: Sequence[Path], folder: Path) -> None:
        self.shards = list(shards)
        self._read_from = plain_shards(self.shards, folder)
        self._offsets = [_offsets(*files) for files in zip(self._read_from, self.shards, strict=True)]
        self._ends = np.cumsum([len(offsets) for offsets in self._offsets]).tolist()

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def name(self, number: int) -> str:
        """Shard and number in it, for errors."""
        shard, index = self._find(number)
        return f"record {index:,} of {self.shards[shard]}"

    def __getitem__(self, number: int) -> bytes:
        """The content of a record."""
        shard, index = self._find(number)
        begin = int(self._offsets[shard][index])
        path = self._read_from[shard]
        try:
            with path.open("rb", buffering=0) as stream:
                header = os.pread(stream.fileno(), _HEADER, begin)
                length = struct.unpack("<QI", header)[0] if len(header) == _HEADER else 0
                content = os.pread(stream.fileno(), length, begin + _HEADER)
        except OSError as error:
            raise StageError(f"{path} cannot be read: {error.strerror or error}.", code="invalid_data") from error
        if len(header) != _HEADER or len(content) != length:
            raise StageError(f"{path} became shorter while it was read.", code="invalid_data")
        return content

    def verify(self) -> None:
        """Compares the content of all records with their checksums.

        Raises:
            StageError: with shard and record.
        """
        import tensorflow as tf

        for shard, file, offsets in zip(self.shards, self._read_from, self._offsets, strict=True):
            read = 0
            try:
                for _ in tf.data.TFRecordDataset(str(file)):
                    read += 1
            except tf.errors.OpError as error:
                raise StageError(
                    f"Record {read:,} of {len(offsets):,} in {shard} is damaged: its content and checksum differ.",
                    "Write or copy this shard again.",
                    code="invalid_data",
                ) from error

    def _find(self, number: int) -> tuple[int, int]:
        shard = bisect_right(self._ends, number)
        return shard, number - (self._ends[shard - 1] if shard else 0)


def _offsets(file: Path, shard: Path) -> Array:
    """Where each record begins in a file that is read in place of a shard."""
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            return _scanned(stream.fileno(), size, shard)
    except OSError as error:
        raise StageError(
            f"{shard} cannot be read: {error.strerror or error}.", "Check the path.", code="data_unreadable"
        ) from error


def _scanned(file: int, size: int, shard: Path) -> Array:
    found: list[int] = []
    offset = 0
    while offset < size:
        header = os.pread(file, _HEADER, offset)
        if len(header) == _HEADER:
            length, checksum = struct.unpack("<QI", header)
            if checksum != _masked_checksum(header[:8]):
                raise _not_a_record(shard, len(found))
            end = offset + _HEADER + length + _FOOTER
        else:
            end = offset + _HEADER + _FOOTER
        if end > size:
            raise StageError(
                f"{shard} is truncated: record {len(found):,} would end at byte {end:,}, but the file has {size:,}.",
                "Write or copy this shard again.",
                code="invalid_data",
            )
        found.append(offset)
        offset = end
    return np.array(found, np.int64)


def _not_a_record(shard: Path, number: int) -> StageError:
    if number:
        return StageError(
            f"Record {number:,} of {shard} is damaged: its length does not have its checksum.",
            "Write or copy this shard again.",
            code="invalid_data",
        )
    return StageError(f"{shard} is no TFRecord file.", "Check data.source.", code="invalid_data")


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


_CRC = _table()


def _masked_checksum(content: bytes) -> int:
    """CRC-32C, turned and shifted as TFRecord does."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
