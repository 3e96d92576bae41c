"""Sample weights: what they mean in the loss, in metrics, in training and with a teacher."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from tests.support.contexts import Log, context
from tests.support.digits import digits
from tests.support.models import same_weights
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.stages import fit as training
from tfopt.backend.training import loop as fitting
from tfopt.backend.training import steps
from tfopt.backend.training.measure import measure
from tfopt.core.config.data import Augment
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf

TWO = Compile.model_validate(
    {"loss": {"digit": "sparse_categorical_crossentropy", "ink": "mse"}, "metrics": {"digit": ["accuracy"]}}
).of_model(["digit", "ink"])


def two_heads() -> tf_keras.Model:
    tf_keras.utils.set_random_seed(0)
    inputs = tf_keras.layers.Input((8, 8, 1))
    hidden = tf_keras.layers.Flatten()(inputs)
    hidden = tf_keras.layers.Dropout(0.2)(tf_keras.layers.Dense(16, activation="relu")(hidden))
    heads = [
        tf_keras.layers.Dense(10, activation="softmax", name="digit")(hidden),
        tf_keras.layers.Dense(1, name="ink")(hidden),
    ]
    return tf_keras.Model(inputs, heads)


def data(noise: int) -> Data:
    """Digits, half of whose labels are wrong, and weigh nothing; so do other examples' amounts of ink."""
    plain = digits(256)

    def of(split: Split) -> Split:
        random = np.random.RandomState(noise)
        labels, ink = np.array(split.targets), np.mean(split.inputs, axis=(1, 2))
        wrong = np.arange(len(labels)) % 2 == 0
        labels[wrong] = random.randint(0, 10, wrong.sum())
        ink[::3] = random.normal(size=(len(ink[::3]), 1))
        weights = {"digit": (~wrong).astype(np.float32), "ink": np.ones(len(labels), np.float32)}
        weights["ink"][::3] = 0
        return replace(split, targets={"digit": labels, "ink": ink}, weights=weights)

    return replace(plain, train=of(plain.train), validation=of(plain.validation), test=of(plain.test))


def trained(folder: Path, noise: int, emit: Any = lambda event: None, **keys: Any) -> tf_keras.Model:
    stage = Train.model_validate({"name": "train", "epochs": 3, "learning_rate": 0.01, **keys})
    augment = Augment(shift=0.15)
    made = context(folder, emit, data=data(noise), compile=TWO, batch_size=32, augment=augment)
    return training.train(two_heads(), stage, made).model


BESIDE = {"class_weights": {"digit": {3: 2.0}}, "teacher": {"ema": {"decay": 0.9}}}


@pytest.mark.parametrize("keys", [{}, pytest.param(BESIDE, marks=pytest.mark.slow)])
def test_examples_without_weight_change_nothing(keys: dict[str, Any], tmp_path: Path) -> None:
    logs = Log(), Log()
    models = [trained(tmp_path / str(noise), noise, log, **keys) for noise, log in enumerate(logs)]
    assert same_weights(*models)
    entries = [[{**entry, "seconds": 0} for entry in log.of("epoch")] for log in logs]
    assert entries[0] == entries[1]
    measures = [training.evaluate(models[0], data(noise).test, TWO) for noise in range(2)]
    assert measures[0] == measures[1]
    assert entries[0][-1]["loss"] < entries[0][0]["loss"]


@pytest.mark.slow
def test_a_stage_with_weights_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted after the eleventh of 24 steps, in the midst of the second epoch."""
    monkeypatch.setattr(steps, "SIGN_OF_LIFE", 0.0)
    monkeypatch.setattr(fitting, "SECONDS_BETWEEN_SIGNS", 0.0)

    def interrupt(event: Any) -> None:
        if event["event"] == "progress" and event["step"] == 11:
            raise KeyboardInterrupt

    whole = trained(tmp_path / "whole", 0)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "stopped", 0, interrupt)
    log = Log()
    assert same_weights(trained(tmp_path / "stopped", 0, log), whole)
    assert log.of("progress")[0]["step"] == 12


def test_twice_the_weight_is_twice_the_loss() -> None:
    random = np.random.default_rng(0)
    outputs = random.dirichlet(np.ones(3), (8, 4, 5)).astype(np.float32)  # of pixels
    labels = random.integers(0, 3, (8, 4, 5)).astype(np.int32)
    compile = Compile.model_validate({"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy", "mean_iou"]})
    plain = measure(outputs, labels, compile)
    assert measure(outputs, labels, compile, np.full(8, 2, np.float32))["loss"] == pytest.approx(2 * plain["loss"])
    weights = np.array([0, 3, 1, 1, 0, 1, 2, 1], np.float32)
    found = measure(outputs, labels, compile, weights)
    each = -np.log(np.take_along_axis(outputs, labels[..., None], -1))[..., 0].mean(axis=(1, 2))
    assert found["loss"] == pytest.approx((weights * each).mean(), rel=1e-5)
    kept = measure(outputs[weights > 0], labels[weights > 0], compile)
    assert (found["accuracy"], found["mean_iou"]) == pytest.approx((kept["accuracy"], kept["mean_iou"]))


def test_a_loss_that_is_one_number_cannot_be_weighted(tmp_path: Path) -> None:
    (tmp_path / "ownscalar.py").write_text(
        "import tensorflow as tf\ndef loss(t, p):\n    return tf.reduce_mean((tf.cast(t, tf.float32) - p[:, 0]) ** 2)\n"
    )
    from tfopt.catalog.own_code import importable

    compile = Compile.model_validate({"loss": "ownscalar:loss", "metrics": ["accuracy"]})
    outputs, labels = np.zeros((4, 2), np.float32), np.zeros(4, np.int32)
    with importable(tmp_path), pytest.raises(StageError, match="one number for all examples"):
        measure(outputs, labels, compile, np.ones(4, np.float32))
