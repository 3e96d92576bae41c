"""Hooks compose: a teacher, a criterion that reads gradients and a regularizer in one stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tests.support.contexts import Log, context
from tests.support.digits import digits
from tests.support.distillation import distill, distiller, stored
from tests.support.models import same_weights, small_model, wide_model
from tfopt.backend.stages import fit as training
from tfopt.backend.training.hooks import ForwardPass, Gradients, HookList, TrainingHook, TrainingSetup
from tfopt.errors import StageError
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf


class Ridge(TrainingHook):
    """Adds the squared size of a kernel to the loss."""

    parts = ("ridge_loss",)

    def __init__(self, strength: float) -> None:
        self._strength = strength

    def start(self, setup: TrainingSetup) -> None:
        self._kernel = setup.model.get_layer("hidden").kernel

    def loss(self, forward: ForwardPass, loss: tf.Tensor) -> tuple[tf.Tensor, Mapping[str, tf.Tensor]]:
        term = self._strength * tf.reduce_sum(tf.square(self._kernel))
        return loss + term, {"ridge_loss": term}


class SaliencyPruning(TrainingHook):
    """Sums |weight * gradient| of a kernel, and before step 9 sets the half with the smallest sums to zero."""

    decision_steps = (9,)

    def start(self, setup: TrainingSetup) -> None:
        self._kernel = setup.model.get_layer("hidden").kernel
        self.scores = tf.Variable(tf.zeros_like(self._kernel), trainable=False)
        self.mask = tf.Variable(tf.ones_like(self._kernel), trainable=False)

    @property
    def variables(self) -> Sequence[tf.Variable]:
        return self.scores, self.mask

    def on_gradients(self, gradients: Gradients) -> None:
        for gradient, variable in gradients:
            if variable is self._kernel:
                self.scores.assign_add(tf.abs(gradient * variable))

    def before_step(self, step: int) -> None:
        scores = self.scores.numpy()
        self.mask.assign((scores >= np.median(scores)).astype("float32"))

    def project_weights(self) -> None:
        self._kernel.assign(self._kernel * self.mask)

    def sparsity(self) -> float:
        return 1 - float(tf.reduce_mean(self.mask))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return stored(wide_model(), tmp_path_factory.mktemp("teacher") / "entry")


BODY = {"stage": "train", "layers": [{"student": "hidden", "teacher": "wide"}]}


def fit(folder, teacher, hooks, log=None, body=BODY):
    """A student of one stage with a teacher and more hooks: 4 steps in each of 4 epochs."""
    stage = distill(body, epochs=4) if body else Train(name="train", epochs=4, learning_rate=3e-3)
    places = {"stage train": teacher}
    log = log or Log()
    where = distiller(folder, stage.teacher, places, log) if body else context(folder, log)
    model = small_model(dropout=0.2)
    training.fit(model, stage, replace(where, data=digits(256)), hooks=hooks)
    return model, log


def test_teacher_criterion_and_regularizer_work_in_one_stage_and_resume_bit_by_bit(teacher, tmp_path):
    pruning = SaliencyPruning()
    model, log = fit(tmp_path / "whole", teacher, [pruning, Ridge(1e-2)])
    stopped = Log(react=lambda event: interrupt(event))

    def interrupt(event):
        if event["event"] == "epoch" and event["epoch"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "stopped", teacher, [SaliencyPruning(), Ridge(1e-2)], stopped)
    resumed, _ = fit(tmp_path / "stopped", teacher, [again := SaliencyPruning(), Ridge(1e-2)])

    assert same_weights(model, resumed)
    assert np.array_equal(pruning.scores.numpy(), again.scores.numpy())
    kernel = model.get_layer("hidden").kernel.numpy()
    assert np.mean(kernel == 0) == pytest.approx(0.5, abs=0.01), "the criterion had its effect"
    assert np.all((kernel == 0) == (pruning.mask.numpy() == 0))
    entry = log.of("epoch")[-1]
    assert {"loss", "hard_loss", "soft_loss", "hint_loss", "ridge_loss"} <= entry.keys()
    terms = 0.5 * (entry["hard_loss"] + entry["soft_loss"] + entry["hint_loss"]) + entry["ridge_loss"]
    assert entry["loss"] == pytest.approx(terms, rel=1e-4), "the weight of the teacher does not scale the regularizer"


def test_each_of_them_changes_the_weights(teacher, tmp_path):
    everything, _ = fit(tmp_path / "all", teacher, [SaliencyPruning(), Ridge(1e-2)])
    without = {
        "teacher": fit(tmp_path / "teacher", teacher, [SaliencyPruning(), Ridge(1e-2)], body=None)[0],
        "criterion": fit(tmp_path / "criterion", teacher, [Ridge(1e-2)])[0],
        "regularizer": fit(tmp_path / "regularizer", teacher, [SaliencyPruning()])[0],
    }

    assert not any(same_weights(everything, other) for other in without.values())
    kernels = {name: model.get_layer("hidden").kernel.numpy() for name, model in without.items()}
    assert np.mean(kernels["criterion"] == 0) < 0.01
    assert np.sum(kernels["regularizer"] ** 2) > np.sum(everything.get_layer("hidden").kernel.numpy() ** 2)


def test_two_hooks_with_parts_of_one_name_are_refused(teacher, tmp_path):
    with pytest.raises(StageError, match="two parts of the loss have the same name"):
        fit(tmp_path, teacher, [Ridge(1e-2), Ridge(1e-3)], body=None)


def test_hooks_outside_the_step_leave_the_training_step_of_the_model():
    class Watching(TrainingHook):
        def after_epoch(self, entry: Mapping[str, float]) -> None:
            pass

    assert not HookList([Watching()]).in_step
    assert HookList([Watching(), Ridge(1.0)]).in_step


def test_of_single_values_the_last_hook_that_has_one_decides():
    class Late(TrainingHook):
        early_stopping_from = 7

    assert HookList([], early_stopping_from=3).early_stopping_from == 3
    assert HookList([Late(), TrainingHook()], early_stopping_from=3).early_stopping_from == 7
