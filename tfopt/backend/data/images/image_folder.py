"""Reads a folder of images, one subfolder per class, as a data source."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError

from tfopt.backend.data.arrays.decoded import DecodedRows, identity_of_files
from tfopt.backend.data.arrays.paths import FilesBelow
from tfopt.backend.data.arrays.views import ChangedRows
from tfopt.backend.data.images.pixels import Scale, pixels, scaled
from tfopt.backend.data.raw_inputs import Pair, RawInputs, described_by
from tfopt.backend.types import Array, ExampleArray
from tfopt.errors import StageError

T = TypeVar("T")

_SPLITS = ("train", "validation", "test")
_MODES = {1: "L", 3: "RGB"}


def raw_images(
    path: Path, *, size: tuple[int, int] | None = None, channels: int = 3, scale: Scale = "unit"
) -> RawInputs:
    """What `load_images` does to the images of a folder; takes the same arguments."""
    described = pixels(scale=scale)
    if size is None:
        return described

    def pairs(count: int) -> Iterator[Pair]:
        left = count
        for file in _every_class(path):
            if not left:
                return
            try:
                image = read_image(file, None, channels)
            except StageError:  # data.on_bad_example: skip left it out of the examples, too
                continue
            left -= 1
            yield image, scaled(read_image(file, size, channels), scale)

    return replace(described, resized=True, pairs=pairs)


def _every_class(path: Path) -> list[Path]:
    """Images of all classes in turn: the first of each, the second, ...; of the test split where there is one."""
    top = {part.name: part for part in _subfolders(path)}
    classes = list(top.values())
    if "train" in top:
        splits = [top["test"]] if "test" in top else classes
        classes = [part for split in splits for part in _subfolders(split)]
    by_class: dict[str, list[Path]] = {}
    for part in classes:
        by_class.setdefault(part.name, []).extend(FilesBelow(part, _names_in(part)))
    turns = max(len(files) for files in by_class.values())
    return [files[turn] for turn in range(turns) for files in by_class.values() if turn < len(files)]


@described_by(raw_images)
def load_images(
    path: Path, *, size: tuple[int, int] | None = None, channels: int = 3, scale: Scale = "unit"
) -> dict[str, tuple[ExampleArray, Array]]:
    """Reads `class/image` or `train/class/image` (also `validation` and `test`).

    Args:
        path: the folder.
        size: height and width that every image is resized to; without it all must have the same size.
        channels: 3 for colour, 1 for grey.
        scale: `unit` results in 0..1, `none` keeps 0..255.

    Returns:
        Images (n, height, width, channels) float32, decoded when they are read, and class names (n,), by split; in the
        order of class and file name.

    Raises:
        StageError: a file is not an image, sizes differ, a folder is empty, or the splits have different classes.
    """
    check_image_arguments(size, channels)
    folders = _subfolders(path)
    if "train" in {folder.name for folder in folders}:
        strange = [folder.name for folder in folders if folder.name not in _SPLITS]
        if strange:
            raise StageError(
                f"{path} has train/ and also {strange[0]}/.",
                "Next to train/ only validation/ and test/ are allowed.",
                code="invalid_data",
            )
        splits = {folder.name: _read(folder, size, channels, scale) for folder in folders}
    else:
        splits = {"train": _read(path, size, channels, scale)}
    classes = set(splits["train"][1].tolist())
    for name, (_, labels) in splits.items():
        if extra := set(labels.tolist()) - classes:
            raise StageError(
                f"{path / name} has the class {min(extra)!r}, which {path / 'train'} lacks.", code="invalid_data"
            )
    return splits


def check_image_arguments(size: tuple[int, int] | None, channels: int) -> None:
    """Checks the arguments of sources of image files.

    Raises:
        StageError: no size in pixels, or a number of channels that is neither grey nor colour.
    """
    if channels not in _MODES:
        raise StageError(f"args.channels must be 1 (grey) or 3 (colour). Got {channels!r}.", code="invalid_argument")
    pair = isinstance(size, list | tuple) and len(size) == 2
    if size is not None and not (pair and all(isinstance(side, int) and side > 0 for side in size)):
        raise StageError(f"args.size must be [height, width] in pixels. Got {size!r}.", code="invalid_argument")


def _read(folder: Path, size: tuple[int, int] | None, channels: int, scale: Scale) -> tuple[ExampleArray, Array]:
    names: list[str] = []
    labels: list[str] = []
    for class_folder in _subfolders(folder):
        found = _names_in(class_folder)
        if not found:
            raise StageError(f"The class folder {class_folder} is empty.", code="data_missing")
        names += [f"{class_folder.name}/{name}" for name in found]
        labels += [class_folder.name] * len(found)
    return scaled_rows(image_rows(FilesBelow(folder, names), folder, size, channels), scale), np.array(labels)


def _names_in(folder: Path) -> list[str]:
    """The files of a folder, sorted as text: paths would take ten times as long."""
    return [name for name in sorted(os.listdir(folder)) if not name.startswith(".")]


def image_rows(files: Sequence[Path], root: Path, size: tuple[int, int] | None, channels: int) -> DecodedRows[Path]:
    """Pixels (n, height, width, channels) of image files, uint8, decoded when they are read.

    Args:
        files: in order.
        root: a folder that all of them are in.
        size: height and width that they are resized to; without it all must have that of the first.
        channels: 3 for colour, 1 for grey.

    Raises:
        StageError: no file is an image.
    """
    axes = (*(size or first_size(lambda file: read_image(file, None, 1), files)), channels)

    def decode(file: Path) -> Array:
        image = read_image(file, size, channels)
        if image.shape != axes:
            raise StageError(
                f"{file} has {_size(image)} pixels, but others have {axes[0]}x{axes[1]}.",
                "Give args: {size: [height, width]} to resize all.",
                code="invalid_data",
            )
        return image

    return DecodedRows(files, decode, axes, np.dtype(np.uint8), identity_of_files(files, root, ("image", axes)))


def scaled_rows(images: ExampleArray, scale: Scale) -> ExampleArray:
    """Pixels as float32, in [0, 1] or as they are, when they are read."""
    scaled(np.zeros(1), scale)
    return ChangedRows(images, lambda values: scaled(values, scale), np.dtype(np.float32), label=f"scale {scale}")


def first_size(read: Callable[[T], Array], items: Iterable[T]) -> tuple[int, int]:
    """Height and width of the first item that is an image.

    Args:
        read: (height, width, channels) of an item.
        items: files, or row numbers.

    Raises:
        StageError: none is an image.
    """
    failure: StageError | None = None
    for item in items:
        try:
            height, width = read(item).shape[:2]
        except StageError as error:
            failure = failure or error
        else:
            return height, width
    raise failure or StageError("There are no images.", code="data_missing")


def read_image(file: Path | BytesIO, size: tuple[int, int] | None, channels: int, name: str = "") -> Array:
    """An image as (height, width, channels) uint8.

    Args:
        file: of any format of PIL, or its content.
        size: height and width to resize to, bilinear with antialiasing; None leaves it.
        channels: 3 for colour, 1 for grey.
        name: for errors; the path if absent.

    Raises:
        StageError: it is no image.
    """
    try:
        with Image.open(file) as opened:
            image = opened if opened.mode == _MODES[channels] else opened.convert(_MODES[channels])
            if size is not None and image.size != (size[1], size[0]):
                image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
            pixels = np.asarray(image, dtype=np.uint8)
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise StageError(
            f"{name or file} cannot be read as an image: {error}.",
            "Repair it, or leave it out.",
            code="data_unreadable",
        ) from error
    return pixels.reshape(*pixels.shape[:2], channels)


def _size(image: Array) -> str:
    return f"{image.shape[0]}x{image.shape[1]}"


def _subfolders(path: Path) -> list[Path]:
    folders = sorted(child for child in path.iterdir() if child.is_dir() and not child.name.startswith("."))
    if not folders:
        raise StageError(
            f"{path} has no subfolders.",
            "Expected one subfolder per class, or train/ with one subfolder per class.",
            code="data_missing",
        )
    return folders
