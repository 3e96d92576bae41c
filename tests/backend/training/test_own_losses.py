"""Losses, metrics and callbacks of the user's own, in all the forms in which they can be written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tfopt.backend.training import own_callbacks, own_losses
from tfopt.backend.training.compile import make_loss, make_metrics
from tfopt.backend.training.measure import measure
from tfopt.catalog.own_code import importable
from tfopt.core.config.training.callbacks import OwnCallback
from tfopt.core.config.training.compile import Compile, Loss, Metric
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

MODULE = """
import keras
import tensorflow as tf
import tf_keras

def squared(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

def scaled(y_true, y_pred, factor=1.0):
    return factor * keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

def made(factor=1.0):
    return lambda y_true, y_pred: scaled(y_true, y_pred, factor)

class Three(keras.losses.Loss):
    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor
    def call(self, y_true, y_pred):
        return scaled(y_true, y_pred, self.factor)

class Two(tf_keras.losses.Loss):
    def call(self, y_true, y_pred):
        return squared(y_true, y_pred)

class MeanOfThree(keras.metrics.Metric):
    def __init__(self, name="mean", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(keras.ops.sum(y_pred))
    def result(self):
        return self.total

class Watch(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        pass

def watch(epoch, metrics):
    pass

NOTHING = 3
def fails(y_true, y_pred):
    return y_true.missing
"""
TARGETS = np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)
OUTPUTS = np.array([[1.0, 1.0], [2.0, 1.0]], np.float32)


@pytest.fixture(autouse=True)
def _beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("own")
    (folder / "ownlosses.py").write_text(MODULE, encoding="utf-8")
    with importable(folder):
        yield


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("squared", {}, 1.25),
        ("scaled", {"factor": 2.0}, 2.5),
        ("made", {"factor": 2.0}, 2.5),
        ("Three", {"factor": 2.0}, 2.5),
        ("Two", {}, 1.25),
    ],
)
def test_every_form_of_a_loss_is_computed(name: str, arguments: dict[str, float], expected: float) -> None:
    compile = Compile(
        loss=Loss(name=f"ownlosses:{name}", **arguments),
        metrics=(Metric(name="ownlosses:squared"), Metric(name="ownlosses:MeanOfThree")),
    )
    values = measure(OUTPUTS, TARGETS, compile)
    assert values == pytest.approx({"loss": expected, "squared": 1.25, "MeanOfThree": 5.0})
    assert float(make_loss(compile)(TARGETS, OUTPUTS)) == pytest.approx(expected)
    assert [metric.name for metric in make_metrics(compile, (None, 2), (None, 2))] == ["squared", "MeanOfThree"]


def test_mistakes_name_the_code() -> None:
    for name, arguments, expected in (
        ("ownlosses:squard", {}, r"no function 'squard'.*squared"),
        ("ownlosses:scaled", {"factr": 1}, r"no argument 'factr'.*factor"),
        ("ownlosses:watch", {}, "ownlosses:watch"),
        ("ownlosses:fails", {}, r"ownlosses:fails failed: AttributeError"),
    ):
        with pytest.raises(StageError, match=expected):
            float(own_losses.own_loss(Loss(name=name, **arguments))(TARGETS, OUTPUTS).numpy() + 0 * len(name))


def test_callbacks_are_classes_and_functions() -> None:
    assert hasattr(own_callbacks.own_callback(OwnCallback(name="ownlosses:Watch")), "on_epoch_end")
    assert hasattr(own_callbacks.own_callback(OwnCallback(name="ownlosses:watch")), "on_epoch_end")
    with pytest.raises(StageError, match=r"is no callback|needs the argument"):
        own_callbacks.own_callback(OwnCallback(name="ownlosses:Two"))
