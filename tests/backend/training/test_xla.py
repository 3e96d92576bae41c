"""XLA: where it is asked for, it compiles the steps of a stage; `auto` takes it where it was measured to gain."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.support.contexts import context
from tests.support.digits import digits
from tests.support.models import same_weights
from tfopt.backend.stages import prune as pruning
from tfopt.backend.stages.fit import fit
from tfopt.backend.training import xla
from tfopt.backend.training.steps import StepRunner
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError
from tfopt.stages.prune import Prune
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf

PRUNE = Prune.model_validate({"name": "prune", "epochs": 2, "schedule": {"kind": "constant", "final": "50%"}})


def classifier() -> tf_keras.Model:
    """A network of two layers for the digits."""
    tf_keras.utils.set_random_seed(3)
    layers = tf_keras.layers
    hidden = [layers.Flatten(input_shape=(8, 8, 1)), layers.Dense(16, activation="relu", name="hidden")]
    return tf_keras.Sequential([*hidden, layers.Dense(10, activation="softmax", name="logits")])


def pruned(folder: Path, asked: Any) -> tuple[tf_keras.Model, dict[str, Any]]:
    """The network after pruning, and the details of the stage."""
    result = pruning.prune(classifier(), PRUNE, PRUNE, context(folder, data=digits(256), compile=Compile(xla=asked)))
    return result.model, result.details["xla"]


class Timed(StepRunner):
    """Steps with XLA take as long as a test says."""

    ratio: ClassVar[float] = 1.0

    def __init__(self, train_step: Any, batches: tf.data.Dataset, *, xla: bool = False) -> None:
        super().__init__(train_step, batches, xla=xla)
        self.xla = xla

    def seconds_per_step(self, iterator: Any, steps: int = 20) -> float:
        super().seconds_per_step(iterator, 3)
        return self.ratio if self.xla else 1.0


class NotForXla(tf_keras.layers.Layer):
    """Calls Python in the graph."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        same = tf.numpy_function(lambda values: values, [inputs], tf.float32)
        same.set_shape(inputs.shape)
        return inputs + 0 * tf.stop_gradient(same)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` finds a GPU, and steps take the time of `Timed`."""
    monkeypatch.setattr(xla, "on_gpu", lambda: True)
    monkeypatch.setattr("tfopt.backend.training.loop.StepRunner", Timed)


def test_compiled_steps_prune_and_train_as_others_do(tmp_path):
    model, details = pruned(tmp_path / "xla", True)
    expected, _ = pruned(tmp_path / "plain", False)
    assert details == {"compiled": True}
    for mine, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)
    assert (model.get_layer("hidden").kernel.numpy() == 0).mean() == 0.5


def test_auto_leaves_xla_out_on_a_processor(tmp_path, monkeypatch):
    monkeypatch.setattr(xla, "on_gpu", lambda: False)
    _, details = pruned(tmp_path / "auto", "auto")
    assert details == {"compiled": False, "reason": "no GPU: XLA is slower on a processor"}


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(("ratio", "compiled"), [(0.6, True), (1.2, False)])
def test_auto_takes_what_was_faster_and_the_measurement_changes_nothing(tmp_path, monkeypatch, ratio, compiled):
    monkeypatch.setattr(Timed, "ratio", ratio)
    model, details = pruned(tmp_path / "auto", "auto")
    assert details == {"compiled": compiled, "step_ratio": ratio}
    expected, _ = pruned(tmp_path / "asked", compiled)
    assert same_weights(model, expected)
    # A run that resumes takes the same steps, without measuring again.
    assert xla.first_choice("auto", context(tmp_path / "auto").work) == xla.Choice(compiled, ratio)


def test_a_step_that_xla_cannot_compile_is_one_error_and_auto_goes_without(tmp_path, monkeypatch):
    layers, stage = tf_keras.layers, Train(name="train", epochs=1)
    model = tf_keras.Sequential(
        [layers.Flatten(input_shape=(8, 8, 1)), NotForXla(), layers.Dense(10, activation="softmax")]
    )
    data = digits(128)
    with pytest.raises(StageError, match="XLA cannot compile the training step"):
        fit(model, stage, context(tmp_path / "1", data=data, compile=Compile(xla=True)))
    monkeypatch.setattr(xla, "on_gpu", lambda: True)
    details = fit(model, stage, context(tmp_path / "2", data=data, compile=Compile(xla="auto")))
    assert not details["xla"]["compiled"]
    assert "XLA cannot compile" in details["xla"]["reason"]
