"""Maps of classes: the images in which a file's map differs most from the model's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfopt.backend.data.splits import Split
from tfopt.backend.explain.pictured.panels import class_name, coloured, image_of, side_by_side
from tfopt.backend.types import Array
from tfopt.core.language.wording import counted
from tfopt.core.records.explanation import ChangedExample

_CLASSES = 4
"""Classes of a map that its text names, the largest first."""


def changed_maps(
    before: Array,
    after: Array,
    truth: Array | None,
    counts: Array,
    split: Split,
    names: Sequence[str] | None,
    most: int,
) -> list[ChangedExample]:
    """The images with the most pixels that changed.

    Args:
        before: classes that the model predicts, (examples, height, width).
        after: those of the file.
        truth: those of the targets; None where they have another shape.
        counts: which pixels count, of the same shape.
        split: the examples.
        names: of the classes; None for their numbers.
        most: how many images.
    """
    differ = (before != after) & counts
    pixels = differ.reshape(len(differ), -1).sum(axis=1)
    order = [int(index) for index in np.argsort(-pixels, kind="stable")[:most] if pixels[index]]
    return [_example(index, before, after, truth, counts, split, names, int(pixels[index])) for index in order]


def _example(
    index: int,
    before: Array,
    after: Array,
    truth: Array | None,
    counts: Array,
    split: Split,
    names: Sequence[str] | None,
    pixels: int,
) -> ChangedExample:
    one, two, valid = before[index], after[index], counts[index]
    real = None if truth is None else np.where(valid, truth[index], -1)
    helped = None
    if real is not None:
        right = [int(((found == real) & valid).sum()) for found in (one, two)]
        helped = right[1] > right[0] if right[0] != right[1] else None
    image = image_of(split, index)
    maps = [coloured(found) for found in (real, one, two) if found is not None]
    if image is not None and all(panel.shape[0] == image.shape[0] for panel in maps):
        maps.insert(0, image)
    return ChangedExample(
        index=index,
        truth="unknown" if real is None else _text(real, valid, names),
        before=_text(one, valid, names),
        after=f"{_text(two, valid, names)}; {counted(pixels, 'pixel')} of {int(valid.sum())} changed",
        helped=helped,
        picture=side_by_side(maps),
        panels=len(maps),
    )


def _text(found: Array, valid: Array, names: Sequence[str] | None) -> str:
    """Which share of an image the largest classes have."""
    labels, sizes = np.unique(found[valid], return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    total = max(int(sizes.sum()), 1)
    parts = [f"{_name(int(labels[k]), names)} {sizes[k] / total:.0%}" for k in order[:_CLASSES]]
    return ", ".join([*parts, "..."] if len(labels) > _CLASSES else parts)


def _name(label: int, names: Sequence[str] | None) -> str:
    if label < 0:
        return "not a number"
    return class_name(label, names)
