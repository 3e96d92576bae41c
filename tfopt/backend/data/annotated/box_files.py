"""Reads images with boxes around their objects, listed in a .json of COCO or a .csv, as a data source of detection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tfopt.backend.data.annotated.box_lists import BoxList, read_coco, read_csv
from tfopt.backend.data.annotated.detection import Annotated, detection_data
from tfopt.backend.data.arrays.paths import FilesBelow
from tfopt.backend.data.images.image_folder import check_image_arguments, image_rows, scaled_rows
from tfopt.backend.data.images.pixels import Scale, pixels
from tfopt.backend.data.prepared import Prepared
from tfopt.backend.types import Array
from tfopt.errors import StageError

_OUTSIDE = 1.0
"""Pixels that a box may reach beyond its image, as rounded coordinates do."""


def load_boxes(
    path: Path,
    *,
    images: str = "",
    validation: str | None = None,
    test: str | None = None,
    size: tuple[int, int] | None = None,
    channels: int = 3,
    scale: Scale = "unit",
    strides: Sequence[int] = (8, 16),
    scales: Sequence[float] = (0.28, 0.4),
    ratios: Sequence[float] = (1.0, 2.0, 0.5),
) -> Prepared:
    """Reads a list of boxes and its images.

    A .json is of COCO: `images` (id, file_name), `annotations` (image_id, category_id, bbox: left, top, width, height
    in pixels; those with iscrowd are left out), `categories` (id, name). A .csv has the columns image, label, left,
    top, right, bottom, in pixels, and a row for each object.

    Args:
        path: the list of training.
        images: folder of the images, relative to the list.
        validation: a list of the same type for validation, relative to the first; without it a share is set aside.
        test: the same for testing.
        size: height and width that images are resized to, their boxes with them; without it all must have the same.
        channels: 3 for colour, 1 for grey.
        scale: `unit` results in 0..1, `none` keeps 0..255.
        strides: of the feature maps with anchors, in pixels.
        scales: for each stride the side of a square anchor, as a share of the shorter side of the image.
        ratios: width over height of the anchors at each position.

    Returns:
        Images (n, height, width, channels) float32, decoded when they are read; targets `boxes` (n, anchors, 4) float32
        and `classes` (n, anchors), 0 for background, then the classes in the order of their COCO ids, or of the
        alphabet.

    Raises:
        StageError: the list or an image cannot be read, or a box is not in its image.
    """
    check_image_arguments(size, channels)
    read: Callable[[Path], BoxList] = read_coco if path.suffix.lower() == ".json" else read_csv
    given = {"train": path, "validation": validation and path.parent / validation, "test": test and path.parent / test}
    lists = {name: read(Path(file)) for name, file in given.items() if file}
    names = lists["train"].names
    for name, one in lists.items():
        strange = [label for label in one.names if label not in names]
        if strange:
            raise StageError(f"{given[name]} has the class {strange[0]!r}, which {path} lacks.", code="invalid_data")
    folder = path.parent / images
    splits = {name: _annotated(one, names, folder, size, channels, scale) for name, one in lists.items()}
    raw = pixels(scale=scale) if size is None else None
    return detection_data(splits, names, raw, strides, scales, ratios)


def _annotated(
    listed: BoxList, names: Sequence[str], folder: Path, size: tuple[int, int] | None, channels: int, scale: Scale
) -> Annotated:
    paths = FilesBelow(folder, listed.files)
    for path, file in zip(paths, listed.files, strict=True):
        if not path.is_file():
            raise StageError(
                f"{listed.path} lists {file}, but there is no {path}.",
                "Name the folder of the images, relative to the list: args: {images: ...}.",
                code="data_missing",
            )
    images = image_rows(paths, folder, size, channels)
    all_alike = None if size is not None else (images.shape[2], images.shape[1])
    boxes = [
        _shares(own, all_alike or _size_of(path), f"{listed.path}: a box of {file}")
        for path, file, own in zip(paths, listed.files, listed.boxes, strict=True)
    ]
    labels = [
        np.array([names.index(name) for name in own][: len(kept)], np.int32)
        for own, kept in zip(listed.labels, boxes, strict=True)
    ]
    return Annotated(scaled_rows(images, scale), boxes, labels)


def _size_of(path: Path) -> tuple[int, int] | None:
    """Width and height of an image, from its first bytes; None where they cannot be read: the image cannot either."""
    try:
        with Image.open(path) as opened:
            return opened.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _shares(boxes: Array, size: tuple[int, int] | None, what: str) -> Array:
    """Boxes in pixels as shares of width and height, cut at the edges; none where the size is not known."""
    if size is None:
        return np.zeros((0, 4), np.float32)
    limits = np.array([*size, *size], float)
    cut = boxes.clip(0, limits)
    for box, (left, top, right, bottom) in zip(boxes, cut, strict=True):
        inside = np.abs(box - (left, top, right, bottom)).max() <= _OUTSIDE
        if not (left < right and top < bottom and inside):
            raise StageError(
                f"{what} is {box.tolist()} (left, top, right, bottom), but the image has {size[0]}x{size[1]} pixels "
                "(width x height).",
                "Expected left < right and top < bottom, in pixels, inside of the image.",
                code="invalid_data",
            )
    result: Array = (cut / limits).astype(np.float32).reshape(-1, 4)
    return result


def is_box_list(path: Path, args: Mapping[str, object]) -> bool:
    """Whether a file is a list of boxes: a .json, or a .csv for which `args.images` names the folder of the images."""
    return path.suffix.lower() == ".json" or (path.suffix.lower() == ".csv" and "images" in args)
