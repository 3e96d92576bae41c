"""Criteria: what ranks the weights decides which become zero, in masks and in global shares alike."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import numpy as np
import pytest

from tests.support.contexts import context
from tests.support.digits import digits
from tests.support.models import same_weights, small_model
from tfopt.backend.graph.kernels import prunable_kernels
from tfopt.backend.stages import prune as pruning
from tfopt.catalog import entries
from tfopt.core.contracts.preflight import Workload
from tfopt.stages.prune import Prune

pytestmark = pytest.mark.tf

FOREIGN = '''
"""Criteria of a different package."""

import tensorflow as tf

from tfopt.backend.pruning.criterion import Criterion


class Last(Criterion):
    """The later a weight stands in its kernel, the more important it is."""

    def scores(self, kernel):
        return tf.reshape(tf.range(1.0, kernel.shape.num_elements() + 1.0), kernel.shape)


class Saliency(Criterion):
    """The average of |weight * gradient| so far."""

    def track(self, kernels):
        self._sums = {id(kernel): tf.Variable(tf.zeros_like(kernel), trainable=False) for kernel in kernels}

    @property
    def variables(self):
        return list(self._sums.values())

    def on_gradients(self, gradients):
        for gradient, variable in gradients:
            if id(variable) in self._sums:
                self._sums[id(variable)].assign_add(tf.abs(gradient * variable))

    def scores(self, kernel):
        return self._sums[id(kernel)].read_value()
'''


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """Two criteria that an installed package brings through entry points."""
    (tmp_path / "foreign_criteria.py").write_text(FOREIGN)
    monkeypatch.syspath_prepend(tmp_path)
    points = [EntryPoint(name.lower(), f"foreign_criteria:{name}", "tfopt.criteria") for name in ("Last", "Saliency")]
    monkeypatch.setattr(entries, "entry_points", lambda group: points if group == "tfopt.criteria" else [])


def prune(folder, criterion, emit=lambda event: None, **keys):
    schedule = {"kind": "polynomial", "final": "50%", "begin": "50%", "every": "1 steps", "end": "75%"}
    stage = Prune.model_validate({"name": "prune", "epochs": 2, "schedule": schedule, "criterion": criterion, **keys})
    return pruning.prune(small_model(), stage, stage, context(folder, emit, data=digits(256))).model


@pytest.fixture(scope="module")
def by_default(tmp_path_factory):
    """Pruned without a criterion in the recipe."""
    return prune(tmp_path_factory.mktemp("default"), None)


def zeros(model, name):
    return prunable_kernels(model.get_layer(name))[0].numpy() == 0


def test_a_criterion_of_a_different_package_prunes_by_its_name(foreign, tmp_path):
    model = prune(tmp_path, "last")

    kernel = zeros(model, "hidden").ravel()
    assert kernel[: kernel.size // 2].all()
    assert not kernel[kernel.size // 2 :].any()


def test_global_shares_rank_by_the_criterion_too(foreign, tmp_path):
    """The scores of `last` are positions: one threshold for all layers empties the small kernels first."""
    model = prune(tmp_path, "last", allocation={"kind": "global", "ceiling": "90%"})

    assert zeros(model, "conv1").mean() == pytest.approx(0.9, abs=0.02)
    assert zeros(model, "hidden").mean() < 0.5


def test_a_criterion_that_reads_gradients_prunes_and_resumes(foreign, by_default, tmp_path):
    def interrupt(event):
        if event["event"] == "epoch" and event["epoch"] == 1:
            raise KeyboardInterrupt

    whole = prune(tmp_path / "whole", "saliency")
    with pytest.raises(KeyboardInterrupt):
        prune(tmp_path / "stopped", "saliency", interrupt)
    resumed = prune(tmp_path / "stopped", "saliency")

    assert same_weights(whole, resumed)
    assert zeros(whole, "hidden").mean() == pytest.approx(0.5, abs=0.01)
    assert not np.array_equal(zeros(whole, "hidden"), zeros(by_default, "hidden"))


def test_naming_magnitude_is_the_default(by_default, tmp_path):
    assert same_weights(by_default, prune(tmp_path, "magnitude"))


def test_an_unknown_criterion_is_a_problem_of_the_plan():
    stage = Prune.model_validate(
        {"name": "prune", "epochs": 1, "schedule": {"kind": "constant", "final": "50%"}, "criterion": "magnitud"}
    )

    (problem,) = stage.preflight(small_model(), Workload(40, 10, 640)).problems

    assert (problem.path, problem.code) == (("criterion",), "unknown_name")
    assert "magnitude" in problem.message
