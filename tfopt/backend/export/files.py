"""Moves exported files into their folder and measures their size; a reader never sees half a file."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tfopt.errors import ExportError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns an OSError into an error for the user.

    Raises:
        ExportError: names `path` and the reason.
    """
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error.strerror or str(error)) from error


def cannot_write(path: Path, reason: str) -> ExportError:
    """The error for a path that cannot be written."""
    return ExportError(
        f"Cannot write {path}: {reason}.",
        "Free some space, or choose a different folder with --out.",
        code="cannot_write",
    )


def put_in_place(written: Path, target: Path) -> None:
    """Renames a finished file or folder, replacing an old one.

    Args:
        written: the file or folder, on the same file system as `target`.
        target: its path.

    Raises:
        ExportError: the folder cannot be written.
    """
    with writing(target):
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(written, target)


def num_bytes(path: Path) -> int:
    """Size of a file, or of all files of a folder together."""
    return sum(file.stat().st_size for file in _files(path))


def num_gzip_bytes(path: Path) -> int:
    """Size after gzip: of a file, or of all files of a folder in one stream in the order of their names.

    Names and times are left out, so that the same contents give the same number.
    """
    return len(gzip.compress(b"".join(file.read_bytes() for file in _files(path)), mtime=0))


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
