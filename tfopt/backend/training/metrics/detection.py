"""Mean average precision of a detector, from its two outputs and the anchors of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np

from tfopt.backend.data.splits import Data
from tfopt.backend.types import Array
from tfopt.backend.vision.anchors import AnchorGrid
from tfopt.backend.vision.average_precision import mean_average_precision
from tfopt.backend.vision.detections import detections_of, objects_of
from tfopt.core.config.compile import TOGETHER, Compile
from tfopt.core.config.keras_objects import Metric
from tfopt.errors import StageError

BOXES, CLASSES = "boxes", "classes"
"""Names of the outputs of a detector, and of its targets."""
_NAME = "mean_average_precision"


def with_anchors(compile: Compile, data: Data) -> Compile:
    """The compile block, with the anchors of the data where `mean_average_precision` lacks them.

    Args:
        compile: the recipe's.
        data: whose source made targets on anchors.

    Raises:
        StageError: the data have no anchors.
    """
    if not any(metric.name == _NAME and "anchors" not in metric.arguments() for metric in compile.together):
        return compile
    if data.anchors is None:
        raise StageError(
            f"{_NAME} needs the anchors that boxes are relative to, but the data {data.source} have none.",
            "Use a source of detection: scenes_detection, a .json of COCO, or a .csv of boxes with args.images.",
            code="data_missing",
        )
    grid = data.anchors
    plain = [list(each) for each in (grid.size, grid.strides, grid.scales, grid.ratios)]
    together = tuple(
        Metric.model_validate({"name": metric.name, **metric.arguments(), "anchors": plain})
        if metric.name == _NAME
        else metric
        for metric in compile.together
    )
    return compile.model_copy(update={"metrics": {**_by_output(compile), TOGETHER: together}})


def average_precision_of(
    metric: Metric, compile: Compile, targets: Mapping[str, Array], outputs: Mapping[str, Array]
) -> float:
    """The metric, of outputs of a model or of a file.

    Args:
        metric: with its arguments: `iou` (a number, or a list whose mean counts), `least_score`, `nms_iou`, `most`.
        compile: whose loss says whether classes are logits.
        targets: by output name, as `tfopt.backend.vision.matching.targets_of` makes them.
        outputs: `boxes` (examples, anchors, 4) and `classes` (examples, anchors, 1 + classes).

    Raises:
        StageError: there are no such outputs, or an argument is out of range.
    """
    missing = [name for name in (BOXES, CLASSES) if name not in targets or name not in outputs]
    if missing:
        raise StageError(
            f"{_NAME} needs the outputs {BOXES} and {CLASSES} of a detector, with their losses; {missing[0]} is "
            "missing.",
            "Name them in compile.loss: {boxes: box_huber, classes: hard_negative_crossentropy}.",
            code="unknown_output",
        )
    keys = dict(metric.arguments())
    anchors = _grid(keys.pop("anchors", None)).boxes()
    limits = keys.pop("iou", 0.5)
    limits = list(limits) if isinstance(limits, Sequence) else [limits]
    _check_shares({**{f"iou {k}": value for k, value in enumerate(limits)}, **_shares(keys)})
    probabilities = _probabilities(outputs[CLASSES], compile)
    found = [
        detections_of(
            boxes,
            each,
            anchors,
            least_score=keys.get("least_score", 0.02),
            threshold=keys.get("nms_iou", 0.45),
            most=int(keys.get("most", 100)),
        )
        for boxes, each in zip(outputs[BOXES], probabilities, strict=True)
    ]
    objects = [objects_of(*one, anchors) for one in zip(targets[BOXES], targets[CLASSES], strict=True)]
    return float(np.mean([mean_average_precision(found, objects, limit) for limit in limits]))


def _by_output(compile: Compile) -> dict[str, tuple[Metric, ...]]:
    return dict(compile.metrics) if isinstance(compile.metrics, dict) else {}


def _grid(plain: object) -> AnchorGrid:
    parts = list(plain) if isinstance(plain, list | tuple) else []
    if len(parts) != len(fields(AnchorGrid)) or not all(isinstance(part, list | tuple) for part in parts):
        raise StageError(
            f"{_NAME}: the anchors are [[height, width], strides, scales, ratios]. Got {plain!r}.",
            "Leave them out: they come from the data.",
            code="invalid_argument",
        )
    height, width = parts[0]
    return AnchorGrid((height, width), *map(tuple, parts[1:]))


def _shares(keys: Mapping[str, object]) -> dict[str, object]:
    return {name: keys[name] for name in ("least_score", "nms_iou") if name in keys}


def _check_shares(values: Mapping[str, object]) -> None:
    for name, value in values.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1:
            raise StageError(
                f"{_NAME}: {name.split()[0]} must be between 0 and 1. Got {value!r}.", code="invalid_argument"
            )


def _probabilities(outputs: Array, compile: Compile) -> Array:
    if not compile.of(CLASSES).single_loss.arguments().get("from_logits"):
        return outputs
    powers = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    result: Array = powers / powers.sum(axis=-1, keepdims=True)
    return result
