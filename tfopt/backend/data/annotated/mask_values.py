"""From the pixels of a mask to classes: numbers of a grey or palette image, or colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from tfopt.backend.data.checks import NO_TARGET
from tfopt.backend.types import Array
from tfopt.errors import StageError

MaskValue = int | Sequence[int]
"""A number, or red, green and blue."""
_NUMBERS = ("1", "L", "P", "I", "I;16")
"""Modes of PIL whose pixels are one number; of a palette image (P) its index, as in Pascal VOC."""


@dataclass(frozen=True)
class MaskValues:
    """What the pixels of masks mean.

    Args:
        values: for each class in order the number or the colour of its pixels; None where the number is the class.
        ignore: number or colour of pixels that have no class; None where all have.
        classes: number of classes; None: from the masks.
        colours: whether values and ignore are colours, each as one number (0xRRGGBB).
    """

    values: tuple[int, ...] | None = None
    ignore: int | None = None
    classes: int | None = None
    colours: bool = False

    @classmethod
    def of(cls, values: Sequence[MaskValue] | None, ignore: MaskValue | None, classes: int | None) -> MaskValues:
        """Checks the arguments of a source.

        Raises:
            StageError: no numbers or colours, a mixture of both, a repetition, or another count than that of classes.
        """
        if classes is not None and not (_is_byte(classes, 65536) and classes):
            raise StageError(
                f"args.classes must be names, or a number above 0. Got {classes!r}.", code="invalid_argument"
            )
        given = [*(values or ()), *(() if ignore is None else (ignore,))]
        colours = any(not isinstance(value, int) for value in given)
        for value in given:
            if not (_is_colour(value) if colours else _is_byte(value, 65535)):
                raise StageError(
                    "args.values and args.ignore must be numbers of grey or palette masks, or colours [red, green, "
                    f"blue] of 0 to 255, not both. Got {value!r}.",
                    code="invalid_argument",
                )
        if colours and values is None:
            raise StageError(
                "args.ignore is a colour, so args.values must name the colour of each class.", code="invalid_argument"
            )
        numbers = [_number(value) for value in given]
        if len(set(numbers)) < len(numbers):
            raise StageError("args.values and args.ignore name a value twice.", code="invalid_argument")
        if values is not None and classes not in (None, len(values)):
            raise StageError(
                f"args.values names {len(values)} classes, args.classes {classes}.",
                "Give a value for each class.",
                code="invalid_argument",
            )
        return cls(
            None if values is None else tuple(map(_number, values)),
            None if ignore is None else _number(ignore),
            classes if values is None else len(values),
            colours,
        )

    def read(self, file: Path, size: tuple[int, int] | None) -> Array:
        """The classes of a mask file, (height, width) int32; NO_TARGET (-1) where a pixel has none.

        Args:
            file: an image.
            size: height and width to resize to, by the nearest pixel; None leaves it.

        Raises:
            StageError: it is no image, has colours where numbers are expected, or an unknown value.
        """
        pixels = self._numbers(file, size)
        known = range(self.classes or 256) if self.values is None else self.values
        table = {value: k for k, value in enumerate(known)}
        if self.ignore is not None:
            table[self.ignore] = NO_TARGET
        present, where = np.unique(pixels, return_inverse=True)
        for value in present.tolist():
            if value not in table:
                raise StageError(
                    f"The mask {file} has pixels of {self._written(value)}, which is no class.",
                    "List the value of each class in args.values, and that of pixels without a class in args.ignore.",
                    code="invalid_data",
                )
        classes: Array = np.array([table[value] for value in present.tolist()], np.int32)[where].reshape(pixels.shape)
        return classes

    def _numbers(self, file: Path, size: tuple[int, int] | None) -> Array:
        try:
            with Image.open(file) as opened:
                if not self.colours and opened.mode not in _NUMBERS:
                    raise StageError(
                        f"The mask {file} is a colour image ({opened.mode}).",
                        "Expected a grey or palette image with a number for each class; for colours list that of each "
                        "class: args: {values: [[0, 0, 0], [255, 0, 0]]}.",
                        code="invalid_data",
                    )
                mask = opened.convert("RGB") if self.colours else opened
                if size is not None and mask.size != (size[1], size[0]):
                    mask = mask.resize((size[1], size[0]), Image.Resampling.NEAREST)
                pixels = np.asarray(mask).astype(np.int64)
        except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise StageError(
                f"The mask {file} cannot be read as an image: {error}.",
                "Repair it, or remove it and its image.",
                code="data_unreadable",
            ) from error
        return pixels @ np.array([65536, 256, 1]) if self.colours else pixels

    def _written(self, value: int) -> str:
        return f"the colour {[value >> 16, value >> 8 & 255, value & 255]}" if self.colours else f"the value {value}"


def _is_byte(value: object, most: int = 255) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _is_colour(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 3 and all(map(_is_byte, value))


def _number(value: MaskValue) -> int:
    return value if isinstance(value, int) else (value[0] << 16) + (value[1] << 8) + value[2]
