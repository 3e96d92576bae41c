"""Focal and Dice losses, against values counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfopt.backend.training.compile import make_loss, with_soft_labels
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.outputs import Outputs
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

TARGETS = np.array([[[0, 1], [1, 2]]], np.int32)
PROBABILITIES = np.array([[[[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]], [[0.2, 0.7, 0.1], [0.3, 0.3, 0.4]]]], np.float32)
RIGHT = np.array([0.5, 0.8, 0.7, 0.4])


def loss_of(name: str, outputs: np.ndarray = PROBABILITIES, targets: np.ndarray = TARGETS, **keys: object) -> float:
    return float(make_loss(compiled(name, **keys))(targets, tf.constant(outputs)))


def compiled(name: str, **keys: object) -> Compile:
    return Compile.model_validate({"loss": {"name": name, **keys}})


def test_focal() -> None:
    name = "sparse_categorical_focal_crossentropy"
    assert loss_of(name) == pytest.approx(np.mean((1 - RIGHT) ** 2 * -np.log(RIGHT)), rel=1e-5)
    assert loss_of(name, gamma=0) == pytest.approx(-np.log(RIGHT).mean(), rel=1e-5)
    ignored = np.where(TARGETS == 2, -1, TARGETS)
    kept = RIGHT[:3]
    found = loss_of(name, targets=ignored, ignore_class=-1)
    assert found == pytest.approx(np.mean((1 - kept) ** 2 * -np.log(kept)), rel=1e-5)


def test_dice_and_crossentropy() -> None:
    name = "sparse_categorical_dice_crossentropy"
    # Class: 2 * intersection / (pixels + sum of probabilities).
    each = [2 * 0.5 / (1 + 1.1), 2 * 1.5 / (2 + 2.1), 2 * 0.4 / (1 + 0.8)]
    entropy = -np.log(RIGHT).mean()
    assert loss_of(name) == pytest.approx(entropy + 1 - np.mean(each), rel=1e-5)
    assert loss_of(name, dice_weight=0) == pytest.approx(entropy, rel=1e-5)
    assert loss_of(name, np.log(PROBABILITIES), from_logits=True) == pytest.approx(loss_of(name), rel=1e-5)
    ignored = np.where(TARGETS == 2, -1, TARGETS)
    each = [2 * 0.5 / (1 + 0.8), 2 * 1.5 / (2 + 1.8)]
    expected = -np.log(RIGHT[:3]).mean() + 1 - np.mean(each)
    assert loss_of(name, targets=ignored, ignore_class=-1) == pytest.approx(expected, rel=1e-5)


def test_yes_or_no() -> None:
    targets, outputs = np.array([[[1.0], [0.0]]], np.float32), np.array([[[0.8], [0.4]]], np.float32)
    expected = -(np.log(0.8) + np.log(0.6)) / 2 + 1 - (2 * 0.8 + 1) / (1 + 1.2 + 1)
    assert loss_of("binary_dice_crossentropy", outputs, targets) == pytest.approx(expected, rel=1e-4)


def test_a_sure_pixel_has_a_gradient_that_is_finite() -> None:
    outputs = tf.constant([[50.0, -50.0], [0.0, 0.0]])
    loss = make_loss(compiled("sparse_categorical_focal_crossentropy", gamma=0.5, from_logits=True))
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        value = loss(np.array([0, 1], np.int32), outputs)
    assert np.isfinite(tape.gradient(value, outputs)).all()


def test_what_they_mean_and_refuse() -> None:
    assert Outputs.of(compiled("sparse_categorical_dice_crossentropy", from_logits=True)).squash == "softmax"
    assert Outputs.of(compiled("binary_dice_crossentropy")).one_per_label
    with pytest.raises(StageError, match="dice_weight must be 0 or more"):
        make_loss(compiled("binary_dice_crossentropy", dice_weight=-1))
    with pytest.raises(StageError, match="gamma must be 0 or more"):
        make_loss(compiled("sparse_categorical_focal_crossentropy", gamma=-1))
    with pytest.raises(StageError, match="expects integer labels"):
        with_soft_labels(compiled("sparse_categorical_focal_crossentropy"))
