"""Writing files so that a crash leaves either the old one or the new one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from tfopt.atomic import replacing
from tfopt.core.records.fingerprint import fingerprint
from tfopt.errors import StoreError

_CHUNK = 1 << 20
_MOST_FILES = 10_000
_MOST_BYTES = 1 << 30
"""Data above either are not read to find out whether they are those of the last run."""


def write_atomically(path: Path, text: str) -> None:
    """Writes a text file through a temporary name, synced and renamed.

    Raises:
        StoreError: the folder cannot be written (read-only, disk full).
    """
    try:
        with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> StoreError:
    """The error for a path that cannot be written."""
    return StoreError(
        f"Cannot write {path}: {error.strerror or error}.",
        "Free some space, or choose another folder with --out.",
        code="cannot_write",
    )


def sync_folder(folder: Path) -> None:
    """Makes renames in a folder survive a power loss, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Makes a file's bytes survive a power loss."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def content_hash(path: Path) -> str:
    """SHA-256 of a file, or of all files below a folder."""
    return file_hash(path) if path.is_file() else fingerprint(folder_hashes(path))


def data_hash(path: Path) -> str:
    """As `content_hash`; a folder with many or large files is hashed by their names, sizes and times of change.

    Args:
        path: a file or a folder that is read only, such as the examples of a recipe.
    """
    if path.is_file():
        return content_hash(path) if path.stat().st_size <= _MOST_BYTES else _listed([path], path.parent)
    files = [file for folder, _, names in os.walk(path) for name in names if (file := Path(folder, name)).is_file()]
    few = len(files) <= _MOST_FILES and sum(file.stat().st_size for file in files) <= _MOST_BYTES
    return content_hash(path) if few else _listed(files, path)


def _listed(files: Sequence[Path], root: Path) -> str:
    top = os.path.join(root, "")
    found = ((str(file).removeprefix(top), os.stat(file)) for file in files)
    return fingerprint(sorted([name, one.st_size, one.st_mtime_ns] for name, one in found))


def folder_hashes(folder: Path, leave_out: frozenset[str] = frozenset()) -> dict[str, str]:
    """SHA-256 of every file below a folder, by path relative to it, sorted."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    relative = ((path.relative_to(folder).as_posix(), path) for path in files)
    return {name: file_hash(path) for name, path in relative if name not in leave_out}
