"""Mean IoU and Dice, against values counted by hand and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from tfopt.backend.training.measure import measure
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

RANDOM = np.random.default_rng(0)


def test_a_map_counted_by_hand() -> None:
    targets = np.array([[[0, 0], [1, 1]]], np.int32)
    outputs = np.eye(3, dtype=np.float32)[[[[0, 1], [1, 1]]]]
    asked = Compile.model_validate({"metrics": ["mean_iou", "dice", "accuracy"]})
    found = measure(outputs, targets, asked)
    # Class 0: 1 of 2 pixels; class 1: 2 of 3; class 2 occurs nowhere.
    assert found["mean_iou"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found["dice"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert found["accuracy"] == 0.75
    without = [{"name": "mean_iou", "background": 0}, {"name": "dice", "background": 0}]
    found = measure(outputs, targets, Compile.model_validate({"metrics": without}))
    assert (found["mean_iou"], found["dice"]) == (pytest.approx(2 / 3), pytest.approx(4 / 5))


def test_random_maps_and_pixels_that_do_not_count() -> None:
    targets, outputs = RANDOM.integers(-1, 4, (5, 6, 7)), RANDOM.random((5, 6, 7, 4)).astype(np.float32)
    counts = targets >= 0
    expected = jaccard_score(targets[counts], outputs.argmax(-1)[counts], average="macro")
    loss = {"name": "sparse_categorical_crossentropy", "ignore_class": -1}
    asked = Compile.model_validate({"loss": loss, "metrics": ["mean_iou"]})
    assert measure(outputs, targets.astype(np.int32), asked)["mean_iou"] == pytest.approx(expected)


def test_yes_or_no_per_pixel() -> None:
    targets = np.array([[1, 1, 0, 0]], np.float32)[..., np.newaxis]
    outputs = np.array([[2.0, -1.0, 1.0, -3.0]], np.float32)[..., np.newaxis]
    loss = {"name": "binary_dice_crossentropy", "from_logits": True}
    found = measure(outputs, targets, Compile.model_validate({"loss": loss, "metrics": ["mean_iou", "dice"]}))
    assert (found["mean_iou"], found["dice"]) == (pytest.approx(1 / 3), pytest.approx(1 / 2))


@pytest.mark.parametrize("background", [-1, 2, True, 0.5])
def test_a_background_that_is_no_class_is_refused(background: object) -> None:
    asked = Compile.model_validate({"metrics": [{"name": "dice", "background": background}]})
    with pytest.raises(StageError, match="one of the classes 0 to 1"):
        measure(np.ones((2, 2), np.float32), np.array([0, 1], np.int32), asked)
