"""The stage contract, over all stages that come with tfopt."""

from __future__ import annotations

import pytest

from tfopt.catalog.entries import find
from tfopt.testing.stages import StageContract

pytestmark = pytest.mark.tf

TRAIN = {"train": {"epochs": 1}}
PRUNE = {"prune": {"epochs": 1, "schedule": {"kind": "constant", "final": "50%", "end": "60%"}}}


class TestTrain(StageContract):
    kind = "train"
    config = {"epochs": 2, "moving_average": 0.5}


class TestDistill(StageContract):
    kind = "distill"
    config = {"epochs": 2, "teacher": {"seed": 5}}
    before = (TRAIN,)


@pytest.mark.slow  # in CI the contract of the criterion `magnitude` tries a prune stage
class TestPrune(StageContract):
    kind = "prune"
    config = {"epochs": 2, "schedule": {"kind": "constant", "final": "50%", "end": "60%"}}


class TestCluster(StageContract):
    kind = "cluster"
    config = {"epochs": 2, "clusters": 8}
    before = (PRUNE,)


class TestQat(StageContract):
    kind = "qat"
    config = {"epochs": 2}
    before = (PRUNE,)


class TestEnsemble(StageContract):
    kind = "ensemble"
    config = {"seeds": 2}
    before = (PRUNE,)


class TestAverage(StageContract):
    kind = "average"
    config = {"epochs_of": "train"}
    before = ({"train": {"epochs": 2, "keep": [1, 2]}},)


class TestInitialize(StageContract):
    kind = "initialize"
    config = {"teacher": {"stage": "train"}}
    before = ({"train": {"epochs": 1}},)


@pytest.mark.slow  # in CI the contract of the criterion `mean_activation` tries a shrink stage
class TestShrink(StageContract):
    kind = "shrink"
    config = {"epochs": 2, "to": {"macs": "60%"}, "divisor": 1}
    before = (TRAIN,)


def test_all_stages_are_here() -> None:
    tried = {suite.kind for suite in StageContract.__subclasses__() if suite.__module__ == __name__}
    assert tried == {name for name, entry in find("stages").items() if entry.origin == "tfopt"}
