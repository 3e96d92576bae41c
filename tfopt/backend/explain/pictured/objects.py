"""Detections: the images in which a file finds other objects than its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from tfopt.backend.data.splits import Data, Split
from tfopt.backend.explain.pictured.panels import ORDER, class_name, framed, image_of, side_by_side
from tfopt.backend.training.metrics.detection import probabilities_of
from tfopt.backend.types import Array
from tfopt.backend.vision.boxes import overlaps
from tfopt.backend.vision.detections import Detections, detections_of, objects_of
from tfopt.backend.vision.matching import BOXES, CLASSES
from tfopt.core.config.training.compile import Compile
from tfopt.core.records.explanation import ChangedExample, ExplanationRecord

_SURE = 0.5
"""Score from which a detection is shown and compared."""
_SAME = 0.5
"""Overlap from which two boxes of a class are the same object."""
_INDICES = 1000
_WORDS = 6


def explain_detections(
    before: Mapping[str, Array], after: Mapping[str, Array], data: Data, compile: Compile, *, against: str, most: int
) -> ExplanationRecord:
    """Compares the objects that are found in the images of the test split, of scores from one half.

    Args:
        before: outputs of the model, `boxes` and `classes`.
        after: outputs of the file.
        data: with anchors.
        compile: the recipe's block.
        against: name of the model.
        most: how many images are shown.
    """
    if data.anchors is None or not isinstance(data.test.targets, dict):
        raise ValueError("no detector")
    anchors, targets = data.anchors.boxes(), data.test.targets
    one, two = (_found(outputs, anchors, compile) for outputs in (before, after))
    images = range(len(data.test))
    truth = [objects_of(targets[BOXES][k], targets[CLASSES][k], anchors) for k in images]
    differences = [len(one[k].labels) + len(two[k].labels) - 2 * common(one[k], two[k]) for k in images]
    right = [(_right(one[k], truth[k]), _right(two[k], truth[k])) for k in images]
    changed = [index for index, count in enumerate(differences) if count]
    order = sorted(changed, key=lambda index: -differences[index])[:most]
    return ExplanationRecord(
        against=f"{against}, objects with a score from {_SURE}",
        split="test",
        examples=len(truth),
        changed=len(changed),
        gained=sum(now and not then for then, now in right),
        lost=sum(then and not now for then, now in right),
        indices=changed[:_INDICES],
        shown=[_example(k, truth[k], one[k], two[k], data.test, data.label_names, right[k]) for k in order],
        notes=[ORDER] if order else [],
    )


def _found(outputs: Mapping[str, Array], anchors: Array, compile: Compile) -> list[Detections]:
    classes = probabilities_of(outputs[CLASSES], compile)
    return [
        detections_of(boxes, each, anchors, least_score=_SURE)
        for boxes, each in zip(outputs[BOXES], classes, strict=True)
    ]


def common(one: Detections, two: Detections) -> int:
    """How many objects of one are in the other, each once: of one class, and overlapping by half."""
    same = (one.labels[:, np.newaxis] == two.labels) & (overlaps(one.boxes, two.boxes) >= _SAME)
    return int(same[linear_sum_assignment(same, maximize=True)].sum())


def _right(found: Detections, truth: tuple[Array, Array]) -> bool:
    """Whether exactly the objects of an image are found."""
    boxes, labels = truth
    real = Detections(boxes, labels, np.ones(len(labels)))
    return len(labels) == len(found.labels) == common(real, found)


def _example(
    index: int,
    truth: tuple[Array, Array],
    one: Detections,
    two: Detections,
    split: Split,
    names: Sequence[str] | None,
    right: tuple[bool, ...],
) -> ChangedExample:
    image = image_of(split, index)
    sides = (truth, (one.boxes, one.labels), (two.boxes, two.labels))
    return ChangedExample(
        index=index,
        truth=_text(truth[1], None, names),
        before=_text(one.labels, one.scores, names),
        after=_text(two.labels, two.scores, names),
        helped=right[1] if right[0] != right[1] else None,
        panels=None if image is None else 1 + len(sides),
        picture=None if image is None else side_by_side([image, *(framed(image, *side) for side in sides)]),
    )


def _text(labels: Array, scores: Array | None, names: Sequence[str] | None) -> str:
    words = [class_name(int(k), names) for k in labels]
    if scores is not None:
        words = [f"{word} ({score:.2f})" for word, score in zip(words, scores, strict=True)]
    return ", ".join([*words[:_WORDS], "..."] if len(words) > _WORDS else words) or "nothing"
