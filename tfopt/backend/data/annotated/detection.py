"""Boxes and labels as the targets of a detector, on anchors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tfopt.backend.data.arrays.reading import is_in_memory
from tfopt.backend.data.arrays.sparse import SparseRows
from tfopt.backend.data.prepared import Prepared
from tfopt.backend.data.raw_inputs import RawInputs
from tfopt.backend.types import Array, ExampleArray
from tfopt.backend.vision.anchors import AnchorGrid
from tfopt.backend.vision.matching import BOXES, CLASSES, targets_of, targets_of_image
from tfopt.errors import StageError


@dataclass(frozen=True, eq=False)
class Annotated:
    """Images of one split, with the objects in each.

    Args:
        images: (n, height, width, channels) float32, in memory or not.
        boxes: of each image (objects, 4): left, top, right, bottom as shares of width and height.
        labels: of each image (objects,), from 0.
    """

    images: ExampleArray
    boxes: Sequence[Array]
    labels: Sequence[Array]


def detection_data(
    splits: Mapping[str, Annotated],
    names: tuple[str, ...],
    raw: RawInputs | None,
    strides: Sequence[int],
    scales: Sequence[float],
    ratios: Sequence[float],
) -> Prepared:
    """What a source of detection returns.

    Args:
        splits: `train` and others.
        names: of the classes.
        raw: what was done to raw images; None where that is not known.
        strides: of the anchors, as in `AnchorGrid`.
        scales: of the anchors.
        ratios: of the anchors.

    Raises:
        StageError: the anchors are none, or fewer than the objects of an image.
    """
    height, width = splits["train"].images.shape[1:3]
    try:
        grid = AnchorGrid((height, width), tuple(strides), tuple(scales), tuple(ratios))
    except (TypeError, ValueError) as error:
        raise StageError(f"args.strides, args.scales and args.ratios: {error}", code="invalid_argument") from error
    anchors = grid.boxes()
    for name, split in splits.items():
        most = max(map(len, split.boxes), default=0)
        if most > len(anchors):
            raise StageError(
                f"An image of {name} has {most} objects, but there are {len(anchors)} anchors.",
                "Set more ratios, or smaller strides.",
                code="invalid_data",
            )
    examples = {name: (split.images, _targets(split, anchors)) for name, split in splits.items()}
    return Prepared(examples, raw=raw, label_names=names, anchors=grid)


def _targets(split: Annotated, anchors: Array) -> Mapping[str, ExampleArray]:
    """The targets of a split: where its images are not in memory, only of anchors with an object."""
    if is_in_memory(split.images):
        return targets_of(split.boxes, split.labels, anchors)
    each = [targets_of_image(*own, anchors) for own in zip(split.boxes, split.labels, strict=True)]
    places, offsets, classes = ([one[k] for one in each] for k in range(3))
    return {
        BOXES: SparseRows(places, offsets, len(anchors)),
        CLASSES: SparseRows(places, classes, len(anchors)),
    }
