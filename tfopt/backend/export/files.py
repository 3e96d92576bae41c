"""Moves exported files into their folder; a reader never sees half a file."""

from __future__ import annotations

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
