"""Encoded images in records and tables."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from tfopt.backend.types import Array
from tfopt.errors import StageError

_MODES = {1: "L", 3: "RGB"}
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF")


def is_image(content: bytes) -> bool:
    """Whether bytes begin as an image does."""
    return content.startswith(_BEGINNINGS)


def decoded(content: bytes, name: str, size: tuple[int, int] | None, channels: int) -> Array:
    """Pixels (height, width, channels) of an encoded image, uint8; as a file with the same content gives them.

    Args:
        content: JPEG, PNG or another format that Pillow reads.
        name: for errors.
        size: height and width that it is resized to.
        channels: 3 for colour, 1 for grey.

    Raises:
        StageError: it is no image.
    """
    try:
        with Image.open(BytesIO(content)) as opened:
            image = opened.convert(_MODES[channels])
            if size is not None and image.size != (size[1], size[0]):
                image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
            pixels = np.asarray(image, dtype=np.uint8)
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise StageError(
            f"{name} cannot be read as an image: {error}.", "Repair it, or leave it out.", code="data_unreadable"
        ) from error
    return pixels.reshape(*pixels.shape[:2], channels)
