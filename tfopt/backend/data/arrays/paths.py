"""Many files: their paths in little memory (a `Path` takes 500 bytes, a name a sixth), and a quick look at them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload


class FilesBelow(Sequence[Path]):
    """Files of a folder, made of their names when they are asked for.

    Args:
        folder: where they are.
        names: relative to it, in order.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.folder, self.names = folder, names

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Path: ...

    @overload
    def __getitem__(self, index: slice) -> FilesBelow: ...

    def __getitem__(self, index: int | slice) -> Path | FilesBelow:
        if isinstance(index, slice):
            return FilesBelow(self.folder, self.names[index])
        return self.folder / self.names[index]

    def __iter__(self) -> Iterator[Path]:
        return (self.folder / name for name in self.names)


def files_below(folder: Path, depth: int) -> Iterator[os.DirEntry[str]]:
    """Files in a folder and its subfolders, in any order: without a path for each, which takes long for many.

    Args:
        folder: where they are.
        depth: 1 for the files in the folder itself, 2 for those in its subfolders too, ...
    """
    with os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        if entry.is_file():
            yield entry
        elif depth > 1 and entry.is_dir() and os.access(entry, os.R_OK | os.X_OK):  # as Path.glob: not lost+found
            yield from files_below(Path(entry), depth - 1)
