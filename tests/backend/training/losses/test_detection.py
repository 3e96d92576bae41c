"""Losses of detectors, against values counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfopt.backend.training.compile import make_loss
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError

pytestmark = pytest.mark.tf


def loss_of(name: str, targets: np.ndarray, outputs: np.ndarray, **keys: object) -> float:
    compile = Compile.model_validate({"loss": {"name": name, **keys}, "metrics": ["mae"]})
    return float(make_loss(compile)(targets, tf.constant(outputs, tf.float32)))


def test_boxes_count_where_there_is_an_object() -> None:
    targets = np.zeros((2, 3, 4), np.float32)
    targets[0, 1] = [1, 0, 0, 0]
    outputs = np.zeros((2, 3, 4))
    outputs[0, 1] = [0.5, 3, 0, 0]
    outputs[0, 0] = outputs[1] = 100
    # Of the first image: 0.5^2 / 2, and 3 - 1 / 2; the second has no object.
    assert loss_of("box_huber", targets, outputs) == pytest.approx((0.125 + 2.5) / 2)
    assert loss_of("box_huber", targets, outputs, delta=4) == pytest.approx((0.125 + 4.5) / 2)
    with pytest.raises(StageError, match="delta must be above 0"):
        loss_of("box_huber", targets, outputs, delta=0)


def test_the_hardest_of_the_others_count() -> None:
    right = np.array([[0.5, 0.9, 0.2, 0.6, 0.7], [0.5, 0.9, 0.8, 0.6, 0.7]])
    targets = np.array([[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]], np.int32)
    outputs = np.where(targets[..., np.newaxis] == [0, 1], right[..., np.newaxis], 1 - right[..., np.newaxis])
    first, second = -np.log([0.5, 0.2, 0.6]).sum(), -np.log([0.5, 0.6]).sum()
    found = loss_of("hard_negative_crossentropy", targets, outputs, negatives=2)
    assert found == pytest.approx((first + second) / 2, rel=1e-5)
    logits = loss_of("hard_negative_crossentropy", targets, np.log(outputs), negatives=2, from_logits=True)
    assert logits == pytest.approx(found, rel=1e-5)
    with pytest.raises(StageError, match="negatives must be above 0"):
        loss_of("hard_negative_crossentropy", targets, outputs, negatives=0)
