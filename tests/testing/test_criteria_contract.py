"""The contract of pruning criteria, over all that come with tfopt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfopt.catalog.entries import find
from tfopt.testing.criteria import CriterionContract

pytestmark = pytest.mark.tf


class TestMagnitude(CriterionContract):
    criterion = "magnitude"


@pytest.mark.slow  # tests/backend/pruning/test_criterion.py tries one that reads gradients
class TestTaylor(CriterionContract):
    criterion = "taylor"


@pytest.mark.slow
class TestL1(CriterionContract):
    criterion = "l1"


@pytest.mark.slow
class TestL2(CriterionContract):
    criterion = "l2"


@pytest.mark.slow
class TestFisher(CriterionContract):
    criterion = "fisher"


@pytest.mark.slow
class TestMovement(CriterionContract):
    criterion = "movement"


@pytest.mark.slow
class TestRandom(CriterionContract):
    criterion = "random"


@pytest.mark.slow
class TestGeometricMedian(CriterionContract):
    criterion, kind = "geometric_median", "shrink"


@pytest.mark.slow
class TestBatchNormScale(CriterionContract):
    criterion, kind = "batch_norm_scale", "shrink"


@pytest.mark.slow
class TestZeroActivations(CriterionContract):
    criterion, kind = "zero_activations", "shrink"


class TestMeanActivation(CriterionContract):
    criterion, kind = "mean_activation", "shrink"


def test_all_criteria_are_here() -> None:
    tried = {suite.criterion for suite in CriterionContract.__subclasses__() if suite.__module__ == __name__}
    assert tried == {name for name, entry in find("criteria").items() if entry.origin == "tfopt"}


def test_each_criterion_ranks_by_what_it_says() -> None:
    """Four units of one kernel, made so that each criterion has one answer; no stage is run."""
    import tensorflow as tf

    from tfopt.backend.pruning.criterion import make_criterion
    from tfopt.backend.pruning.units import Units, UnitSlices

    #        unit 0: many small   1: one large   2: like unit 3   3
    columns = [[0.5, 0.5, 0.5, 0.5], [1.5, 0, 0, 0], [1, 0.9, 0, 0], [1, 1, 0, 0]]
    kernel = tf.Variable(np.array(columns, np.float32).T)
    units = tuple((unit,) for unit in range(4))
    scale = UnitSlices(tf.Variable([-0.9, 0.1, 0.5, 0.7]), 0, units)
    group = Units("dense", 4, (UnitSlices(kernel, 1, units),), scales=(scale,))

    def scores(name: str, **steps: Any) -> np.ndarray:
        criterion = make_criterion(name)
        criterion.track([kernel])
        for gradient in steps.get("gradients", ()):
            criterion.on_gradients([(tf.constant(gradient, tf.float32), kernel)])
        if "activations" in steps:
            criterion.observe("dense", np.array(steps["activations"]))
        return criterion.unit_scores(group)

    assert scores("l1").argmin() == 1
    assert scores("l2").argmin() == 0
    assert scores("geometric_median").argmin() in (2, 3)
    assert scores("batch_norm_scale").argmin() == 1
    gradient = np.ones((4, 4)) * np.array([1, 1, 0.1, 1])
    assert scores("taylor", gradients=[gradient]).argmin() == 2
    assert scores("fisher", gradients=[gradient]).argmin() == 2
    towards_zero = np.zeros((4, 4))
    towards_zero[:, 3] = 1  # descent takes weights of unit 3, which are positive, down
    assert scores("movement", gradients=[towards_zero]).argmin() == 3
    activations = [[0, 5, 1, 1], [9, 0, 1, 1], [0, 0, 0.1, 0.2]]
    assert scores("zero_activations", activations=activations).argmin() in (0, 1)
    assert scores("mean_activation", activations=activations).argmin() == 2
    assert len(set(scores("random"))) == 4
