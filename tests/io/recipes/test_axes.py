"""Axes and seeds as typed."""

from __future__ import annotations

from typing import Any

import pytest

import tfopt
from tests.support.errors import refused
from tests.support.root import REPOSITORY
from tfopt.errors import RecipeError, UsageError
from tfopt.io.recipes.axes import parse_axes, parse_seeds, with_sweep


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("stages.prune.schedule.kind=polynomial,constant", {"stages.prune.schedule.kind": ["polynomial", "constant"]}),
        ("a=0.5..0.9/5", {"a": "0.5..0.9/5"}),
        ("a=50%..90%/5", {"a": "50%..90%/5"}),
        ("a=1,2.5,true,70%", {"a": [1, 2.5, True, "70%"]}),
        ("a = 1,2 & b= 3,4", {"a": [1, 2], "b": [3, 4]}),
        ("a={kind: constant, final: 50%},{kind: x}", {"a": [{"kind": "constant", "final": "50%"}, {"kind": "x"}]}),
        ("a=[8, 16],[16, 32]", {"a": [[8, 16], [16, 32]]}),
        ("a=20 steps,50%..60%/2", {"a": ["20 steps", "50%..60%/2"]}),
    ],
)
def test_axes(text: str, axis: dict[str, Any]) -> None:
    assert parse_axes([text]) == [axis]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("a", "PATH=VALUES. Got 'a'"), ("a=", "PATH=VALUES"), ("=1", "PATH=VALUES"), ("a=[1", "cannot be read"),
     ("a=1 & a=2", "gives a twice"), ("a=1 & b", "Got 'b'")],
)  # fmt: skip
def test_what_is_no_axis_is_refused_with_an_example(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        parse_axes([text])


def test_seeds() -> None:
    assert parse_seeds("3") == 3
    assert parse_seeds("1, 5,9") == [1, 5, 9]
    with refused(UsageError, "usage", "'three'"):
        parse_seeds("three")


def test_what_is_asked_replaces_what_the_recipe_says_and_the_rest_stays() -> None:
    recipe = tfopt.load(REPOSITORY / "recipes" / "digits_prune_qat.yaml")
    block = {"axes": [{"stages.prune.epochs": [1, 2]}], "seeds": 3}
    asked = with_sweep(recipe.with_overrides({"sweep": block}), ["stages.train.epochs=1..3/3"], max_trials=4)
    assert asked.to_document()["sweep"] == {"axes": [{"stages.train.epochs": "1..3/3"}], "seeds": 3, "max_trials": 4}
    with pytest.raises(RecipeError, match="seed cannot be an axis"):
        with_sweep(recipe, [{"seed": [1, 2]}])
