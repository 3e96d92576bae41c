"""The loss that is used where a recipe names none and the default cannot work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tests.support.errors import refused
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.models import build as models
from tfopt.backend.training.measure import measure
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

YES_NO = np.array([0, 1, 1, 0, 1, 0], np.int32)
ONE_HOT = np.eye(3, dtype=np.int32)[[0, 1, 2, 0, 1, 2]]
SEVERAL = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0]] * 2, np.float32)


def data(targets: np.ndarray) -> Data:
    split = Split(np.zeros((6, 4), np.float32), targets)
    classes = int(targets.max()) + 1 if targets.dtype.kind == "i" else None
    return Data(split, split, split, source="labels", num_classes=classes)


def ending_with(activation: str | None, outputs: int = 1) -> tf_keras.Model:
    return tf_keras.Sequential([layers.InputLayer((4,)), layers.Dense(outputs, activation=activation, name="last")])


def called(outputs: int = 1) -> tf_keras.Model:
    """The sigmoid is a function, inside a nested model."""
    inputs = layers.Input((4,))
    inner = tf_keras.Model(inputs, tf.sigmoid(layers.Dense(outputs)(inputs)), name="inner")
    outside = layers.Input((4,))
    return tf_keras.Model(outside, inner(outside))


@pytest.mark.parametrize(
    ("model", "targets", "loss", "arguments"),
    [
        (ending_with("sigmoid"), YES_NO, "binary_crossentropy", {}),
        (called(), YES_NO, "binary_crossentropy", {}),
        (ending_with("sigmoid"), YES_NO[:, None].astype("float32"), "binary_crossentropy", {}),
        (ending_with(None), YES_NO, "binary_crossentropy", {"from_logits": True}),
        (ending_with("tanh"), YES_NO, "hinge", {}),
        (ending_with("softmax", 3), ONE_HOT, "categorical_crossentropy", {}),
        (ending_with("softmax", 2), ONE_HOT[:, :2] * 0 + [0, 1], "categorical_crossentropy", {}),
        (ending_with(None, 3), ONE_HOT.astype("float32"), "categorical_crossentropy", {"from_logits": True}),
        (ending_with("sigmoid", 3), SEVERAL, "binary_crossentropy", {}),
    ],
)
def test_a_loss_that_fits_is_chosen_and_said(
    model: tf_keras.Model, targets: np.ndarray, loss: str, arguments: dict[str, bool]
) -> None:
    compile, why = models.fitting_compile(model, data(targets), Compile())
    assert (compile.loss.name, compile.loss.arguments()) == (loss, arguments)
    assert f"{loss}" in str(why)
    models.check_fits(model, data(targets), compile)


@pytest.mark.parametrize(
    ("model", "targets", "compile"),
    [
        (ending_with("softmax", 2), YES_NO, Compile()),
        (ending_with("sigmoid"), YES_NO, Compile.model_validate({"loss": "mse"})),
        (ending_with(None), YES_NO[:, None] + np.float32(0.5), Compile()),
        (ending_with("relu"), YES_NO, Compile()),
    ],
)
def test_anything_else_stays(model: tf_keras.Model, targets: np.ndarray, compile: Compile) -> None:
    assert models.fitting_compile(model, data(targets), compile) == (compile, None)


def test_what_remains_is_advised() -> None:
    advice = "End with a sigmoid and use the loss binary_crossentropy, or give it 2 outputs."
    with refused(StageError, "incompatible_model", advice):
        models.check_fits(ending_with("relu"), data(YES_NO), Compile())
    with refused(StageError, "incompatible_model", "always 1"):
        models.check_fits(ending_with("softmax"), data(YES_NO), Compile.model_validate({"loss": "binary_crossentropy"}))
    pictures = replace(data(YES_NO).train, inputs=np.zeros((6, 8, 8, 1), np.float32))
    masks = Split(pictures.inputs, np.zeros((6, 8, 8), np.int32))
    segments = Data(masks, masks, masks, source="masks", num_classes=2)
    unet = tf_keras.Sequential([layers.InputLayer((8, 8, 1)), layers.Conv2D(1, 1, activation="sigmoid")])
    with refused(StageError, "incompatible_model", "a last axis of 1"):
        models.check_fits(unet, segments, Compile())


def test_one_hot_integers_count_their_columns() -> None:
    assert data(ONE_HOT).num_outputs == 3
    assert data(YES_NO).num_outputs == 2


def test_accuracy_of_logits_and_margins_counts_from_zero() -> None:
    outputs = np.array([[-0.2], [0.3], [0.2], [-1.0], [0.4], [0.1]], np.float32)
    for loss in ({"name": "binary_crossentropy", "from_logits": True}, "hinge"):
        measures = measure(outputs, YES_NO, Compile.model_validate({"loss": loss}))
        assert measures["accuracy"] == pytest.approx(5 / 6)
