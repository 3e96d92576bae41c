"""Mean average precision of outputs, from targets on anchors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tfopt.backend.data.splits import Data, Split
from tfopt.backend.training.measure import measure
from tfopt.backend.training.metrics.detection import with_anchors
from tfopt.backend.vision.anchors import AnchorGrid
from tfopt.backend.vision.matching import targets_of
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

GRID = AnchorGrid((32, 32), (8,), (0.5,), (1.0, 2.0))
BOXES = [
    np.array([[0.1, 0.1, 0.6, 0.6], [0.5, 0.5, 0.9, 0.95]], np.float32),
    np.array([[0.2, 0.3, 0.7, 0.7]], np.float32),
]
LABELS = [np.array([0, 1]), np.array([1])]
TARGETS = targets_of(BOXES, LABELS, GRID.boxes())
SPLIT = Split(np.zeros((2, 32, 32, 3), np.float32), TARGETS)
DATA = Data(SPLIT, SPLIT, SPLIT, source="two", anchors=GRID, label_names=("cat", "dog"))


def compiled(from_logits: bool = False, **keys: object) -> Compile:
    classes = {"name": "hard_negative_crossentropy", "from_logits": from_logits}
    metric = {"name": "mean_average_precision", **keys}
    block = {"loss": {"boxes": "box_huber", "classes": classes}, "metrics": {"model": [metric]}}
    return Compile.model_validate({**block, "main_metric": "mean_average_precision"})


def outputs_of(classes: np.ndarray) -> dict[str, np.ndarray]:
    probabilities = np.eye(3, dtype=np.float32)[classes] * 0.9 + 0.1 / 3
    return {"boxes": TARGETS["boxes"], "classes": probabilities}


def test_outputs_that_are_the_targets_find_everything() -> None:
    compile = with_anchors(compiled(), DATA)
    found = measure(outputs_of(TARGETS["classes"]), TARGETS, compile)
    assert found["mean_average_precision"] == 1
    assert set(found) >= {"loss", "boxes_loss", "classes_loss", "mean_average_precision"}
    logits = {**outputs_of(TARGETS["classes"])}
    logits["classes"] = np.log(logits["classes"])
    assert measure(logits, TARGETS, with_anchors(compiled(True), DATA))["mean_average_precision"] == 1
    assert measure(logits, TARGETS, with_anchors(compiled(True, iou=[0.5, 0.75]), DATA))["mean_average_precision"] == 1


def test_a_class_that_is_missed_and_boxes_that_are_off() -> None:
    compile = with_anchors(compiled(least_score=0.05), DATA)
    only_dogs = np.where(TARGETS["classes"] == 1, 0, TARGETS["classes"])
    assert measure(outputs_of(only_dogs), TARGETS, compile)["mean_average_precision"] == pytest.approx(0.5)
    off = outputs_of(TARGETS["classes"]) | {"boxes": TARGETS["boxes"] + 8}
    assert measure(off, TARGETS, compile)["mean_average_precision"] == 0


@pytest.mark.parametrize("keys", [{"iou": 0}, {"iou": [0.5, 2]}, {"nms_iou": 1.5}, {"least_score": "half"}])
def test_arguments_out_of_range_are_named(keys: dict[str, object]) -> None:
    with pytest.raises(StageError, match=f"{next(iter(keys))} must be between 0 and 1"):
        with_anchors(compiled(**keys), DATA)


def test_data_without_anchors_are_refused() -> None:
    with pytest.raises(StageError, match="needs the anchors"):
        with_anchors(compiled(), replace(DATA, anchors=None))
    assert with_anchors(Compile(), replace(DATA, anchors=None)) == Compile()
