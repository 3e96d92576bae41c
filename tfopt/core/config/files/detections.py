"""Non-maximum suppression inside of a file: the keys of a detector's variant under `detections`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tfopt.core.language.block import Block

_Share = Annotated[float, Field(gt=0, lt=1)]


class Detections(Block):
    """What a file does that ends with detections."""

    least_score: _Share = 0.02
    """Detections below it are left out."""
    nms_iou: _Share = 0.45
    """A box that overlaps a kept one of its class by more is a double."""
    most: Annotated[int, Field(ge=1)] = 100
    """Detections of an image at most, and of each class."""
