"""A folder as one file: the SHA-256 of a zip archive, and then the archive.

The SHA-256 is looked at first, so that no byte that changed on its way ever reaches the unpacking.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import BinaryIO

_DIGEST_LENGTH = 64
_CHUNK = 1 << 20


class DamagedArchive(Exception):
    """An archive whose bytes are not those that were packed."""


def pack(folder: Path, archive: Path) -> None:
    """Packs a folder.

    Args:
        folder: what to pack.
        archive: the file to write; not there before.
    """
    with archive.open("x+b") as file:
        file.write(b"0" * _DIGEST_LENGTH)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as packed:
            for path in sorted(folder.rglob("*")):
                packed.write(path, path.relative_to(folder).as_posix())
        digest = _digest(file)
        file.seek(0)
        file.write(digest)


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks what `pack` wrote.

    Args:
        archive: the file.
        folder: where to; made if need be.

    Raises:
        DamagedArchive: a byte is not as it was written. Nothing has been unpacked then.
    """
    with archive.open("rb") as file:
        if file.read(_DIGEST_LENGTH) != _digest(file):
            raise DamagedArchive("its bytes are not those that were uploaded")
        with zipfile.ZipFile(file) as packed:
            packed.extractall(folder)


def _digest(file: BinaryIO) -> bytes:
    """SHA-256 of all that comes after the digest, in hexadecimal."""
    digest = hashlib.sha256()
    file.seek(_DIGEST_LENGTH)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest().encode("ascii")
