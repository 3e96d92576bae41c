"""What must travel with a model, such as its tokenizer: written next to every result and every exported file."""

from __future__ import annotations

from pathlib import Path

from tfopt.core.contracts.types import Data

FOLDER = "preprocessing"
"""Subfolder of a result in the store."""


def write_preprocessing(data: Data, folder: Path) -> None:
    """Writes the files into a folder, which is made; nothing where nothing must travel.

    Args:
        data: the splits (`tfopt.backend.data.load.Data`).
        folder: for the files.
    """
    if data.preprocessing is None:
        return
    folder.mkdir(exist_ok=True)
    for name, content in data.preprocessing.files.items():
        (folder / name).write_bytes(content)
