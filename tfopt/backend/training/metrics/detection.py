"""Mean average precision of a detector, from its two outputs and the anchors of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import numpy as np

from tfopt.backend.data.splits import Data
from tfopt.backend.types import Array, ExampleArray
from tfopt.backend.vision.anchors import AnchorGrid
from tfopt.backend.vision.average_precision import mean_average_precision
from tfopt.backend.vision.detections import detections_of, objects_of
from tfopt.backend.vision.matching import BOXES, CLASSES
from tfopt.core.config.training.compile import TOGETHER, Compile
from tfopt.core.config.training.keras_objects import Metric
from tfopt.errors import StageError

_NAME = "mean_average_precision"


def with_anchors(compile: Compile, data: Data) -> Compile:
    """The compile block, with the anchors of the data where `mean_average_precision` lacks them.

    Args:
        compile: the recipe's.
        data: whose source made targets on anchors.

    Raises:
        StageError: the data have no anchors, an output has no loss, or an argument is out of range.
    """
    own = [metric for metric in compile.together if metric.name == _NAME]
    for metric in own:
        _check(metric, compile)
    if all("anchors" in metric.arguments() for metric in own):
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
    return compile.with_metrics({TOGETHER: together})


def average_precision_of(
    metric: Metric, compile: Compile, targets: Mapping[str, ExampleArray], outputs: Mapping[str, ExampleArray]
) -> float:
    """The metric, of outputs of a model or of a file.

    Args:
        metric: with its arguments: `iou` (a number, or a list whose mean counts), `least_score`, `nms_iou`, `most`.
        compile: whose loss says whether classes are logits.
        targets: by output name, as `tfopt.backend.vision.matching.targets_of` makes them.
        outputs: `boxes` (examples, anchors, 4) and `classes` (examples, anchors, 1 + classes).

    Raises:
        StageError: an output has no loss, or an argument is out of range.
    """
    _check(metric, compile)
    keys = metric.arguments()
    anchors = _grid(keys.get("anchors")).boxes()
    images = range(len(outputs[CLASSES]))
    found = [
        detections_of(
            outputs[BOXES][image],
            probabilities_of(outputs[CLASSES][image], compile),
            anchors,
            least_score=keys.get("least_score", 0.02),
            threshold=keys.get("nms_iou", 0.45),
            most=keys.get("most", 100),
        )
        for image in images
    ]
    objects = [objects_of(targets[BOXES][image], targets[CLASSES][image], anchors) for image in images]
    return float(np.mean([mean_average_precision(found, objects, limit) for limit in _limits(metric)]))


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


def _limits(metric: Metric) -> list[float]:
    iou = metric.arguments().get("iou", 0.5)
    return list(iou) if isinstance(iou, list | tuple) else [iou]


def _check(metric: Metric, compile: Compile) -> None:
    missing = [name for name in (BOXES, CLASSES) if name not in compile.outputs]
    if missing:
        raise StageError(
            f"{_NAME} needs the outputs {BOXES} and {CLASSES} of a detector, with their losses; {missing[0]} is "
            "missing.",
            "Name them in compile.loss: {boxes: box_huber, classes: hard_negative_crossentropy}.",
            code="unknown_output",
        )
    keys, limits = metric.arguments(), _limits(metric)
    shares = [("iou", value) for value in limits]
    shares += [(name, keys[name]) for name in ("least_score", "nms_iou") if name in keys]
    for name, value in shares:
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1:
            raise StageError(f"{_NAME}: {name} must be between 0 and 1. Got {value!r}.", code="invalid_argument")
    most = keys.get("most", 100)
    if not limits or isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise StageError(
            f"{_NAME}: iou must have a value, and most be a whole number above 0. Got {limits} and {most!r}.",
            code="invalid_argument",
        )


def probabilities_of(outputs: Array, compile: Compile) -> Array:
    """The output `classes` of a detector as probabilities, whether its loss takes these or logits."""
    if not compile.of(CLASSES).single_loss.arguments().get("from_logits"):
        return outputs
    powers = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    result: Array = powers / powers.sum(axis=-1, keepdims=True)
    return result
