"""Folders of texts: files for each split, a file for each text, a subfolder for each class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tfopt.backend.text.decoding import decoded
from tfopt.backend.text.tables import Text, Texts, read_jsonl, read_table
from tfopt.core.config.text.text import TEXT_FILES, TextConfig
from tfopt.errors import StageError

_SPLITS = ("train", "validation", "test")


def reader_of(path: Path) -> Callable[..., Texts]:
    """What reads a file of texts, by how its name ends.

    Raises:
        StageError: it ends otherwise.
    """
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        return read_table
    if suffix == ".jsonl":
        return read_jsonl
    if suffix == ".txt":
        return read_text_file
    raise StageError(
        f"{path} is of an unknown type.",
        f"Expected {', '.join(TEXT_FILES)}, or a folder of texts.",
        code="unknown_file_type",
    )


def read_text_file(path: Path, config: TextConfig) -> Texts:
    """A `.txt` file as one text.

    Raises:
        StageError: it cannot be read, or is empty.
    """
    text = decoded(path, config.encoding)
    if not text.strip():
        raise StageError(f"{path} is empty.", code="data_missing")
    return [text], None


def read_folder(path: Path, config: TextConfig) -> dict[str, Texts]:
    """Reads a folder.

    Args:
        path: with `train.csv` (also .tsv, .jsonl, .txt; next to it `validation` and `test`); or with .txt files, for a
            language model; or with a subfolder of .txt files for each class. The last two also inside of `train/`,
            `validation/` and `test/`.
        config: task, columns and encoding.

    Returns:
        Texts and labels by split.

    Raises:
        StageError: there are no texts, something else is in between, or a file cannot be read.
    """
    files = [file for file in _visible(path) if file.is_file() and file.suffix.lower() in TEXT_FILES]
    folders = [folder for folder in _visible(path) if folder.is_dir()]
    if any(file.stem == "train" for file in files):
        return _split_files(path, files, config)
    if any(folder.name == "train" for folder in folders):
        strange = [folder.name for folder in folders if folder.name not in _SPLITS]
        if strange:
            raise StageError(
                f"{path} has train/ and also {strange[0]}/.",
                "Next to train/ only validation/ and test/ are allowed.",
                code="invalid_data",
            )
        return {folder.name: _texts(folder, config) for folder in folders}
    return {"train": _texts(path, config)}


def _split_files(path: Path, files: list[Path], config: TextConfig) -> dict[str, Texts]:
    by_split: dict[str, Path] = {}
    for file in files:
        if file.stem not in _SPLITS or file.stem in by_split:
            raise StageError(
                f"{path} has {by_split.get(file.stem, Path('train')).name} and also {file.name}.",
                "Expected one file for each of train, validation and test; move others away.",
                code="invalid_data",
            )
        by_split[file.stem] = file
    if not config.is_language_model and any(file.suffix.lower() == ".txt" for file in files):
        raise StageError(
            f"{path} has .txt files for its splits, which have no labels.",
            "Use task: language_model, or tables.",
            code="invalid_data",
        )
    return {split: reader_of(by_split[split])(by_split[split], config) for split in _SPLITS if split in by_split}


def _texts(folder: Path, config: TextConfig) -> Texts:
    if config.is_language_model:
        return _all_files(folder, config), None
    texts: list[Text] = []
    labels: list[str] = []
    classes = [part for part in _visible(folder) if part.is_dir()]
    if not classes:
        raise StageError(
            f"{folder} has no subfolders.",
            "Expected one subfolder of .txt files for each class, or train.csv (.tsv, .jsonl).",
            code="data_missing",
        )
    for part in classes:
        found = _all_files(part, config)
        texts += found
        labels += [part.name] * len(found)
    return texts, np.array(labels)


def _all_files(folder: Path, config: TextConfig) -> list[Text]:
    files = _visible(folder)
    other = [file.name for file in files if not (file.is_file() and file.suffix.lower() == ".txt")]
    if other:
        raise StageError(
            f"{folder} has {other[0]}, which is no .txt file.", "Move it out of the folder.", code="invalid_data"
        )
    if not files:
        raise StageError(f"{folder} has no .txt files.", code="data_missing")
    return [read_text_file(file, config)[0][0] for file in files]


def _visible(folder: Path) -> list[Path]:
    return sorted(part for part in folder.iterdir() if not part.name.startswith("."))
