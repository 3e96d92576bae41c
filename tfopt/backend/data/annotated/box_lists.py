"""Lists of images and the boxes in them: COCO's .json, and .csv."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfopt.backend.data.tables.table import read_table
from tfopt.backend.types import Array
from tfopt.errors import StageError

_COLUMNS = ("left", "top", "right", "bottom")
_COCO = (
    'Expected {"images": [{"id", "file_name"}], "annotations": [{"image_id", "category_id", "bbox"}], "categories": '
    '[{"id", "name"}]}.'
)


@dataclass(frozen=True, eq=False)
class BoxList:
    """What a list says.

    Args:
        path: where it is.
        names: of the classes.
        files: of the images, as written.
        boxes: of each image (objects, 4): left, top, right, bottom in pixels.
        labels: of each image the names of its objects' classes.
    """

    path: Path
    names: tuple[str, ...]
    files: Sequence[str]
    boxes: Sequence[Array]
    labels: Sequence[Sequence[str]]


def read_coco(path: Path) -> BoxList:
    """Reads annotations of COCO; those of crowds are left out, images without objects are kept.

    Raises:
        StageError: no such .json, or an annotation of an unknown image or category; with its position.
    """
    document = _json(path)
    names = {entry["id"]: str(entry["name"]) for entry in _entries(document, "categories", ("id", "name"), path)}
    files = {entry["id"]: str(entry["file_name"]) for entry in _entries(document, "images", ("id", "file_name"), path)}
    boxes: dict[object, list[list[float]]] = {image: [] for image in files}
    labels: dict[object, list[str]] = {image: [] for image in files}
    keys = ("image_id", "category_id", "bbox")
    for position, entry in enumerate(_entries(document, "annotations", keys, path)):
        if entry.get("iscrowd"):
            continue
        image, category, box = (entry[key] for key in keys)
        where = f"{path}: annotations[{position}]"
        for kind, value, known in (("image", image, files), ("category", category, names)):
            if value not in known:
                raise StageError(f"{where} is of the {kind} {value!r}, which is not listed.", code="invalid_data")
        if not (isinstance(box, list) and len(box) == 4 and all(isinstance(value, int | float) for value in box)):
            raise StageError(
                f"{where} has the bbox {box!r}.", "Expected [left, top, width, height] in pixels.", code="invalid_data"
            )
        left, top, width, height = box
        boxes[image].append([left, top, left + width, top + height])
        labels[image].append(names[category])
    _check_not_empty(path, boxes)
    return BoxList(
        path,
        tuple(names[key] for key in sorted(names)),
        list(files.values()),
        [np.array(own, np.float64).reshape(-1, 4) for own in boxes.values()],
        list(labels.values()),
    )


def read_csv(path: Path) -> BoxList:
    """Reads the columns image, label, left, top, right, bottom: a row for each object.

    Raises:
        StageError: a column or a value is missing, or is no number; with the line.
    """
    table = read_table(path, ",")
    table.check(("image", "label", *_COLUMNS))
    corners = np.stack([table.numbers(name) for name in _COLUMNS], axis=-1)
    boxes: dict[str, list[Array]] = {}
    labels: dict[str, list[str]] = {}
    for image, label, box in zip(table.cells("image"), table.cells("label"), corners, strict=True):
        boxes.setdefault(image, []).append(box)
        labels.setdefault(image, []).append(label)
    _check_not_empty(path, boxes)
    names = tuple(sorted(set(table.cells("label"))))
    return BoxList(path, names, list(boxes), [np.stack(own) for own in boxes.values()], list(labels.values()))


def _json(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StageError(f"{path} cannot be read as .json: {error}.", _COCO, code="data_unreadable") from error
    if not isinstance(document, Mapping):
        raise StageError(f"{path} holds a {type(document).__name__}.", _COCO, code="invalid_data")
    return document


def _entries(document: Mapping[str, Any], key: str, needed: Sequence[str], path: Path) -> list[Mapping[str, Any]]:
    entries = document.get(key)
    if not isinstance(entries, list):
        raise StageError(f"{path} has no list {key!r}.", _COCO, code="invalid_data")
    for position, entry in enumerate(entries):
        missing = [name for name in needed if not isinstance(entry, Mapping) or name not in entry]
        if missing:
            raise StageError(f"{path}: {key}[{position}] has no {missing[0]!r}.", _COCO, code="invalid_data")
    return entries


def _check_not_empty(path: Path, boxes: Mapping[Any, Sequence[object]]) -> None:
    if not any(boxes.values()):
        raise StageError(f"{path} lists no objects.", code="data_missing")
