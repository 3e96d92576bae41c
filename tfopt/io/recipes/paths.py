"""Which form a `source` has, and where relative paths start.

A source is a name from `tfopt ls`, `package.module:function`, a path, or, for models only, `keras.applications.NAME` or
`keras_hub.models.NAME`. In stages, what the keys `recipe` and `file` say is a path, in whatever block they stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from tfopt.catalog.package_folders import is_in_package
from tfopt.catalog.references import is_function

SUFFIXES = {
    "data": (
        *(".npz", ".csv", ".tsv", ".json", ".jsonl", ".txt"),
        *(".tfrecord", ".tfrecords", ".parquet", ".arrow", ".feather"),
    ),
    "model": (".keras", ".h5", ".hdf5", ".tflite", ".pb"),
}
"""How the files end that can be read."""

STAGE_PATHS = ("recipe", "file")
"""Keys below `stages` whose texts are paths."""

TOKENIZER_PATH = ("text", "tokenizer", "path")
"""The key below `data` whose text is a path."""

_RELATIVE = ("./", "../", "~/")
"""How a path in `args` begins: any other text there may mean anything."""

Block = Literal["data", "model"]
Path_ = tuple[str | int, ...]


def is_path(source: str, block: Block) -> bool:
    """Whether a source is a path by its look: it has a slash, begins with `.` or `~/`, or ends as a file does."""
    if is_function(source):
        return False
    looks = "/" in source or "\\" in source or source.startswith((".", "~/"))
    return looks or Path(source).suffix in SUFFIXES[block]


def absolute_paths(document: object, folder: Path) -> list[tuple[Path_, str]]:
    """The relative paths of a recipe, made absolute.

    Args:
        document: plain values of a recipe, maybe with mistakes.
        folder: where relative paths start.

    Returns:
        Pairs of (path in the document, absolute file path).
    """
    found: list[tuple[Path_, str]] = []
    for block, source, args in sources_of(document):
        if isinstance(source, str) and is_path(source, block):
            found.append(((block, "source"), _absolute(source, folder)))
        found += [
            ((block, "args", *path), _absolute(text, folder))
            for path, text in _texts(args)
            if text.startswith(_RELATIVE)
        ]
    data = document.get("data") if isinstance(document, Mapping) else None
    found += [
        (("data", *path), _absolute(text, folder))
        for path, text in _texts(data)
        if path == TOKENIZER_PATH and text and not is_in_package(text) and not text.startswith("$")
    ]
    stages = document.get("stages") if isinstance(document, Mapping) else None
    found += [
        (("stages", *path), _absolute(text, folder))
        for path, text in _texts(stages)
        if path and path[-1] in STAGE_PATHS and text
    ]
    return found


def _absolute(path: str, folder: Path) -> str:
    # `resolve` would follow links, and a user who moves what a link points to would not recognise the path.
    return str((folder / Path(path).expanduser()).absolute())


def _texts(value: object, path: Path_ = ()) -> Iterator[tuple[Path_, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _texts(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(part, (*path, index))


def sources_of(document: object) -> Iterator[tuple[Block, object, object]]:
    """Block, `source` and `args` of data and model, as far as they are there."""
    blocks: tuple[Block, ...] = ("data", "model")
    for block in blocks:
        content = document.get(block) if isinstance(document, Mapping) else None
        if isinstance(content, Mapping):
            yield block, content.get("source"), content.get("args") or {}
