"""What a recipe may say of an ensemble, known without TensorFlow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.recipes import recipe
from tfopt.errors import RecipeError

TRAIN = {"train": {"epochs": 1}}
PRUNE = {"prune": {"epochs": 1, "schedule": {"kind": "constant", "final": "50%"}}}


def test_seeds_count_the_incoming_model_and_go_on_from_its_seed() -> None:
    stage = recipe(TRAIN, {"ensemble": {"seeds": 3}}).stages[1]
    assert [source.label for source in stage.sources(7)] == ["seed 8", "seed 9"]
    both = recipe(TRAIN, {"ensemble": {"seeds": 2, "members": [{"file": "a.h5"}]}}).stages[1]
    assert [source.label for source in both.sources(7)] == ["file a.h5", "seed 8"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, r"ensemble needs at least two members\."),
        ({"members": [{"file": "a.h5"}], "incoming": False}, "needs at least two members"),
        ({"seeds": 1}, "ensemble.seeds must be at least 2"),
        ({"seeds": 2, "incoming": False}, "ensemble.incoming is false, but the incoming model is the first"),
        ({"seeds": 2, "weights": [0.5, 0.4]}, r"ensemble.weights sum to 0.9, but must sum to 1: \[0.556, 0.444\]"),
        ({"seeds": 3, "weights": [0.5, 0.5]}, "ensemble.weights has 2 entries, but there are 3 members"),
        ({"seeds": 2, "weights": [1.5, -0.5]}, r"ensemble.weights.1 must be above 0\. Got -0.5"),
        ({"members": [{"seed": 3}, {"seed": 3}]}, "ensemble.members.1 names seed 3 twice: give it a larger weight"),
    ],
)
def test_a_mistake_is_told_at_its_place(body: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe(TRAIN, {"ensemble": body})


def test_weights_that_are_rounded_still_sum_to_one() -> None:
    assert recipe(TRAIN, {"ensemble": {"seeds": 3, "weights": [0.333, 0.333, 0.333]}})


def test_a_model_that_has_learned_nothing_is_no_member() -> None:
    files = [{"file": "a.h5"}, {"file": "b.h5"}]
    with pytest.raises(RecipeError, match="no stage comes before: the incoming model has learned nothing"):
        recipe({"ensemble": {"members": files}})
    assert recipe({"ensemble": {"members": files, "incoming": False}})


def test_order_that_cannot_hold_is_refused_with_the_reason() -> None:
    with pytest.raises(RecipeError, match="through which qat cannot train: a vote has no gradient"):
        recipe(TRAIN, {"ensemble": {"seeds": 2, "combine": "vote"}}, {"qat": {"epochs": 1}})
    with pytest.raises(RecipeError, match="train_2 would destroy what prune did"):
        recipe(TRAIN, PRUNE, {"ensemble": {"seeds": 2}}, {"train": {"name": "train_2", "epochs": 1}})
    assert recipe(TRAIN, PRUNE, {"ensemble": {"seeds": 2}}, {"qat": {"epochs": 1}})
