"""Where the examples of a run are: as the recipe says, or by their size."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from tfopt.backend.data.arrays.reading import SHARE_OF_MEMORY
from tfopt.core.language.quantities import about_bytes
from tfopt.errors import StageError
from tfopt.memory import available_memory

Kind: TypeAlias = Literal["memory", "disk", "none"]
_SHARE_OF_DISK = 0.8


@dataclass(frozen=True)
class Choice:
    """Where examples are, and why.

    Args:
        kind: where.
        reason: the end of a sentence.
    """

    kind: Kind
    reason: str


def choose(asked: Kind | None, size: int, stored: int, folder: Path | None) -> Choice:
    """Where examples will be.

    Args:
        asked: by the recipe; None for a choice by size.
        size: bytes of all examples in memory.
        stored: bytes that would be written to disk.
        folder: where; None for the folder of temporary files.

    Raises:
        StageError: what the recipe asks for does not fit.
    """
    memory = available_memory()
    disk = shutil.disk_usage(_existing(folder or Path(tempfile.gettempdir()))).free
    if asked == "memory" and size > memory:
        raise StageError(
            f"data.cache: memory needs {about_bytes(size)} for the examples, but {about_bytes(memory)} are free.",
            "Use data.cache: disk or none, or leave the key out.",
            code="out_of_memory",
        )
    if asked == "disk" and stored > disk:
        raise StageError(
            f"data.cache: disk needs {about_bytes(stored)} for the decoded examples, but {about_bytes(disk)} are free.",
            "Free some space, choose a different folder with --out, or use data.cache: none.",
            code="cannot_write",
        )
    if asked is not None:
        return Choice(asked, "as data.cache says")
    if size <= SHARE_OF_MEMORY * memory:
        return Choice("memory", "less than half of the free memory")
    if stored <= _SHARE_OF_DISK * disk:
        return Choice("disk", "more than half of the free memory")
    return Choice("none", "more than half of the free memory, and too much for the disk")


def _existing(folder: Path) -> Path:
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
