"""Files that hold the examples of a data set in parts."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable
from pathlib import Path

from tfopt.backend.data.arrays.paths import files_below
from tfopt.errors import StageError

_PREFIXES = {
    "train": "train",
    "training": "train",
    "valid": "validation",
    "validation": "validation",
    "val": "validation",
}
_PREFIXES |= {"dev": "validation", "test": "test"}
_OF_TFDS = re.compile(r"-([a-z]+)\.tfrecord-[0-9]+-of-[0-9]+$")
"""How `tensorflow_datasets` calls the files of a split: `mnist-train.tfrecord-00000-of-00001`."""
_NOT_DATA = ("cache-", ".", "_")


def is_tfrecord(path: Path) -> bool:
    """Whether a file is called like TFRecord."""
    return ".tfrecord" in path.name.lower()


def is_table(path: Path) -> bool:
    """Whether a file is called like Parquet or Arrow."""
    return path.suffix.lower() in (".parquet", ".arrow", ".feather")


def has_files(path: Path, kind: Callable[[Path], bool]) -> bool:
    """Whether a path is such a file, a pattern of such files, or a folder of them, itself or its subfolders."""
    if not path.is_dir():
        return kind(path)
    return any(kind(Path(file.name)) for file in files_below(path, 2))


def shards_of(path: Path, kind: Callable[[Path], bool]) -> dict[str, list[Path]]:
    """Files by split, in the order of their names.

    Args:
        path: a file, a pattern such as `train-*.tfrecord`, or a folder. In a folder, files whose names begin with
            train, validation or test, or that are in subfolders of these names, are of that split; so are those that
            `tensorflow_datasets` has prepared.
        kind: which files are meant.

    Raises:
        StageError: there are none, or only some say of which split they are.
    """
    if path.is_dir():
        files = [file for depth in ("*", "*/*") for file in path.glob(depth) if file.is_file() and kind(file)]
        files = [file for file in files if not file.name.startswith(_NOT_DATA)]
    else:
        files = [Path(name) for name in glob.glob(str(path))]
    if not files:
        raise StageError(f"There are no files {path}.", "A relative path starts at the recipe.", code="data_missing")
    splits: dict[str, list[Path]] = {}
    unknown: list[Path] = []
    for file in sorted(files):
        split = _split_of(file, path) if path.is_dir() else "train"
        if split is None:
            unknown.append(file)
        else:
            splits.setdefault(split, []).append(file)
    if not splits:
        return {"train": unknown}
    if unknown or "train" not in splits:
        what = f"{unknown[0]} does not" if unknown else "none of them is of training"
        raise StageError(
            f"Some files of {path} say of which split they are, but {what}.",
            "Begin their names with train, validation or test, or move them into folders of these names.",
            code="invalid_data",
        )
    return splits


def _split_of(file: Path, root: Path) -> str | None:
    of_tfds = _OF_TFDS.search(file.name)
    if of_tfds is not None and of_tfds[1] in _PREFIXES:
        return _PREFIXES[of_tfds[1]]
    for name in (file.name, *file.relative_to(root).parts[:-1]):
        word = re.match(r"[a-z]+", name.lower())
        if word and word[0] in _PREFIXES:
            return _PREFIXES[word[0]]
    return None
