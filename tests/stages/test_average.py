"""What a recipe may say of an average of weights, known without TensorFlow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.recipes import recipe
from tfopt.core.contracts.preflight import Workload
from tfopt.errors import RecipeError
from tfopt.stages.train import Train

TRAIN = {"train": {"epochs": 4, "keep": [3, 4]}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "average needs something to average: other models, or epochs_of"),
        ({"epochs_of": "train", "models": [{"file": "a.h5"}]}, "average.models cannot be combined with epochs_of"),
        ({"epochs_of": "trian"}, "average.epochs_of is 'trian', not an earlier stage. Did you mean 'train'"),
        ({"models": [{"seed": 3}, {"seed": 3}]}, r"average\.models\.1 names seed 3 twice"),
    ],
)
def test_a_mistake_is_told_at_its_place(body: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe(TRAIN, {"average": body})


def test_epochs_must_have_been_kept() -> None:
    with pytest.raises(RecipeError, match=r"which keeps no two epochs\. Write keep: \[\.\.\.\]"):
        recipe({"train": {"epochs": 4}}, {"average": {"epochs_of": "train"}})
    assert recipe(TRAIN, {"average": {"epochs_of": "train"}}).stages[1].depends_on() == ("train",)


def test_something_must_have_been_learned() -> None:
    with pytest.raises(RecipeError, match="needs a stage before it"):
        recipe({"average": {"models": [{"file": "a.h5"}]}})


def test_clusters_do_not_survive_an_average() -> None:
    cluster = {"cluster": {"epochs": 1, "clusters": 8}}
    with pytest.raises(RecipeError, match="average would destroy what cluster did"):
        recipe(TRAIN, cluster, {"average": {"models": [{"file": "a.h5"}]}})


def test_a_moving_average_ends_the_stage_alone_and_must_be_shorter_than_it() -> None:
    with pytest.raises(RecipeError, match=r"moving_average cannot be combined with early_stopping.restore_best"):
        recipe({"train": {"epochs": 4, "moving_average": 0.9, "early_stopping": {}}})
    stage = Train(epochs=4, moving_average=0.99)
    (warning,) = stage.preflight(None, Workload(100, 25, 800)).warnings
    assert "averages over about 100 steps, but the stage has 100" in warning
    assert not stage.preflight(None, Workload(1000, 250, 8000)).warnings
