"""Reads folders of images and of masks, as a data source of segmentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath

import numpy as np

from tfopt.backend.data.annotated.mask_values import MaskValue, MaskValues
from tfopt.backend.data.arrays.decoded import UNREADABLE, DecodedRows, identity_of_files
from tfopt.backend.data.arrays.paths import FilesBelow, files_below
from tfopt.backend.data.checks import NO_TARGET
from tfopt.backend.data.images.image_folder import check_image_arguments, image_rows, scaled_rows
from tfopt.backend.data.images.pixels import Scale, pixels
from tfopt.backend.data.prepared import Prepared
from tfopt.backend.types import Array
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

_SPLITS = ("train", "validation", "test")
_LAYOUT = (
    "Expected images/ and masks/ with files of the same names, or train/images, train/masks (also validation, test)."
)


@dataclass(frozen=True, eq=False)
class Pairs:
    """The images of a split, and the mask of each.

    Args:
        images: in the order of their names.
        masks: in the same order.
    """

    images: FilesBelow
    masks: FilesBelow


def has_masks(path: Path, args: Mapping[str, object]) -> bool:
    """Whether a folder holds images and masks, by the names that the arguments of the source give them."""
    names = [str(args.get(name, name)) for name in ("images", "masks")]
    return any(all((part / name).is_dir() for name in names) for part in (path, path / "train"))


def load_masks(
    path: Path,
    *,
    size: tuple[int, int] | None = None,
    channels: int = 3,
    scale: Scale = "unit",
    classes: int | Sequence[str] | None = None,
    values: Sequence[MaskValue] | None = None,
    ignore: MaskValue | None = None,
    images: str = "images",
    masks: str = "masks",
    suffix: str = "",
) -> Prepared:
    """Reads `images/NAME.jpg` with `masks/NAME.png`, also below `train/`, `validation/` and `test/`.

    Args:
        path: the folder.
        size: height and width that images (bilinear) and masks (nearest pixel) are resized to; without it all must have
            the same size.
        channels: of images: 3 for colour, 1 for grey.
        scale: `unit` results in 0..1, `none` keeps 0..255.
        classes: names of the classes, or how many there are; without it, from the masks.
        values: for each class in order the number (grey and palette masks) or the colour [red, green, blue] of its
            pixels; without it the number is the class.
        ignore: number or colour of pixels that have no class, such as 255 in Pascal VOC; the loss must ignore them
            (`ignore_class: -1`).
        images: name of the folder of images.
        masks: name of the folder of masks.
        suffix: what the name of a mask has after that of its image: `_mask` for `cat.jpg` and `cat_mask.png`.

    Returns:
        Images (n, height, width, channels) float32 and maps (n, height, width) int32, both decoded when they are read,
        in the order of names.

    Raises:
        StageError: a file is no image, has no partner, or has another size; a mask has an unknown value.
    """
    check_image_arguments(size, channels)
    count, names = (classes, None) if classes is None or isinstance(classes, int) else (len(classes), _names(classes))
    meaning = MaskValues.of(values, ignore, count)
    folders = {"train": path} if (path / images).is_dir() else {name: path / name for name in _SPLITS}
    found = {
        name: _pairs(folder / images, folder / masks, suffix) for name, folder in folders.items() if folder.is_dir()
    }

    @cache
    def check() -> None:
        if meaning.classes is None:
            _check_numbers([mask for pairs in found.values() for mask in pairs.masks], meaning, size, path)

    if names is None and meaning.classes is not None:
        names = tuple(map(str, range(meaning.classes)))
    examples = {}
    for name, pairs in found.items():
        pictures = image_rows(pairs.images, folders[name], size, channels)
        examples[name] = scaled_rows(pictures, scale), _maps(pairs, folders[name], meaning, size, pictures.shape, check)
    return Prepared(examples, raw=pixels(scale=scale) if size is None else None, label_names=names)


def _names(classes: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(str, classes))


def _maps(
    pairs: Pairs,
    root: Path,
    meaning: MaskValues,
    size: tuple[int, int] | None,
    images: tuple[int, ...],
    check: Callable[[], None],
) -> DecodedRows[int]:
    """The maps of images of a shape (n, height, width, channels), decoded when they are read."""
    axes = images[1:3]

    def decode(number: int) -> Array:
        image, mask = pairs.images[number], pairs.masks[number]
        found = meaning.read(mask, size)
        if found.shape != axes:
            raise StageError(
                f"{image} has {_size(axes)} pixels, but its mask {mask} {_size(found.shape)}.",
                "Give args: {size: [height, width]} to resize both, or repair the mask.",
                code="invalid_data",
            )
        return found

    identity = identity_of_files(pairs.masks, root, ("mask", meaning, axes))
    return DecodedRows(range(len(pairs.masks)), decode, axes, np.dtype(np.int32), identity, check)


def _pairs(images: Path, masks: Path, suffix: str) -> Pairs:
    """Each image with its mask, in the order of their names."""
    for folder in (images, masks):
        if not folder.is_dir():
            raise StageError(f"There is no folder {folder}.", _LAYOUT, code="data_missing")
    by_name, of_masks = _by_name(images), _by_name(masks)
    without = [name for name in by_name if f"{name}{suffix}" not in of_masks]
    if without:
        raise StageError(
            f"{counted(len(without), 'image')} of {len(by_name)} in {images} has no mask, first "
            f"{by_name[without[0]]}: there is no {without[0]}{suffix}.png (or another type) in {masks}.",
            _LAYOUT if not suffix else "",
            code="data_missing",
        )
    extra = [
        file
        for name, file in of_masks.items()
        if not (name.endswith(suffix) and name[: len(name) - len(suffix)] in by_name)
    ]
    if extra:
        raise StageError(
            f"{counted(len(extra), 'mask')} of {len(of_masks)} in {masks} has no image, first {extra[0]}.",
            _LAYOUT,
            code="data_missing",
        )
    if not by_name:
        raise StageError(f"The folder {images} is empty.", code="data_missing")
    found = [of_masks[f"{name}{suffix}"] for name in by_name]
    return Pairs(FilesBelow(images, list(by_name.values())), FilesBelow(masks, found))


def _by_name(folder: Path) -> dict[str, str]:
    """The names of the files by their names without type, in order."""
    found: dict[str, str] = {}
    for name in sorted(file.name for file in files_below(folder, 1) if not file.name.startswith(".")):
        stem = PurePath(name).stem
        if stem in found:
            raise StageError(
                f"{folder} has both {found[stem]} and {name}.",
                "Images and masks belong together by their names without type: remove or rename one.",
                code="invalid_data",
            )
        found[stem] = name
    return found


def _check_numbers(masks: Sequence[Path], meaning: MaskValues, size: tuple[int, int] | None, path: Path) -> None:
    """Whether the numbers in masks count classes from 0; otherwise, such as 0 and 255, they must be named."""
    values: set[int] = set()
    for mask in masks:
        try:
            values.update(np.unique(meaning.read(mask, size)).tolist())
        except StageError as error:
            if error.code != UNREADABLE:  # data.on_bad_example says what becomes of those
                raise
    present = sorted(values - {NO_TARGET})
    if present != list(range(len(present))):
        some = ", ".join(map(str, present[:10])) + (", ..." if len(present) > 10 else "")
        raise StageError(
            f"The masks of {path} have the values {some}, which do not count classes from 0.",
            f"Say which they are: args: {{values: [{some}]}}, {{ignore: {present[-1]}}} for pixels without a class, or "
            "{classes: N} where some classes occur nowhere.",
            code="invalid_data",
        )


def _size(shape: Sequence[int]) -> str:
    return f"{shape[0]}x{shape[1]}"
