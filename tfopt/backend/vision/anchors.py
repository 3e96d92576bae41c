"""Anchors: the boxes that a detector begins with, at every position of its feature maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfopt.backend.types import Array
from tfopt.backend.vision.boxes import corners


@dataclass(frozen=True)
class AnchorGrid:
    """Which anchors there are (SSD, Liu et al. 2016, arXiv:1512.02325).

    Args:
        size: height and width of the images, in pixels.
        strides: of the feature maps, in pixels: 8 has a position every 8 pixels. The finest first.
        scales: for each stride the side of a square anchor, as a share of the shorter side of the image.
        ratios: width over height of the anchors at each position.
    """

    size: tuple[int, int]
    strides: tuple[int, ...] = (8, 16)
    scales: tuple[float, ...] = (0.28, 0.4)
    ratios: tuple[float, ...] = (1.0, 2.0, 0.5)

    def __post_init__(self) -> None:
        if not self.strides or len(self.strides) != len(self.scales):
            raise ValueError(
                f"anchors need a scale for each stride. Got the strides {list(self.strides)} and the scales "
                f"{list(self.scales)}."
            )
        for name in ("strides", "scales", "ratios"):
            values: Sequence[float] = getattr(self, name)
            if not values or any(isinstance(value, bool) or not value > 0 for value in values):
                raise ValueError(f"{name} of anchors must be numbers above 0. Got {list(values)}.")
        powers = all(isinstance(stride, int) and not stride & (stride - 1) for stride in self.strides)
        if not powers or list(self.strides) != sorted(set(self.strides)):
            raise ValueError(f"strides of anchors must be rising powers of 2. Got {list(self.strides)}.")

    @property
    def cells(self) -> tuple[tuple[int, int], ...]:
        """Rows and columns of each feature map."""
        return tuple((-(-self.size[0] // stride), -(-self.size[1] // stride)) for stride in self.strides)

    def boxes(self) -> Array:
        """All anchors (anchors, 4) float32 as corners: by stride, row, column and ratio, as a detector's outputs."""
        height, width = self.size
        found = []
        for (rows, columns), stride, scale in zip(self.cells, self.strides, self.scales, strict=True):
            y, x = np.meshgrid((np.arange(rows) + 0.5) * stride, (np.arange(columns) + 0.5) * stride, indexing="ij")
            side = scale * min(height, width)
            for_each = [(side * ratio**0.5 / width, side / ratio**0.5 / height) for ratio in self.ratios]
            sizes = np.broadcast_to(np.array(for_each), (rows, columns, len(self.ratios), 2))
            centres = np.broadcast_to(np.stack([x / width, y / height], axis=-1)[:, :, np.newaxis], sizes.shape)
            found.append(np.concatenate([centres, sizes], axis=-1).reshape(-1, 4))
        return corners(np.concatenate(found)).astype(np.float32)

    def mirrored(self, axis: int) -> Array | None:
        """The number of the anchor on the other side of the image, for each anchor; None where some have none.

        Args:
            axis: 0: left and right change places; 1: top and bottom.
        """
        boxes = self.boxes().astype(np.float64)
        other = boxes.copy()
        other[:, axis], other[:, axis + 2] = 1 - boxes[:, axis + 2], 1 - boxes[:, axis]
        places = {tuple(box): number for number, box in enumerate(boxes.round(5).tolist())}
        found = [places.get(tuple(box)) for box in (other.round(5) + 0.0).tolist()]
        return None if None in found else np.array(found, np.int32)
