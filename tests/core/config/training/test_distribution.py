"""`distribute` of a recipe: its two forms, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tfopt.catalog.catalog import catalog
from tfopt.core.recipe.recipe import Recipe, build_recipe
from tfopt.engine.keys import parts_of
from tfopt.errors import RecipeError


def recipe(**keys: Any) -> Recipe:
    document = {
        "name": "r",
        "data": {"source": "digits"},
        "model": {"source": "mlp"},
        "stages": [{"train": {"epochs": 1}}],
    }
    return build_recipe({**document, **keys}, catalog())


def test_a_name_is_short_for_a_block() -> None:
    assert recipe(distribute="mirrored").distribute == recipe(distribute={"strategy": "mirrored"}).distribute


def test_a_recipe_without_it_is_written_and_keyed_as_before() -> None:
    plain = recipe()

    assert "distribute" not in plain.to_document()
    assert "distribute" not in parts_of(plain.stages[0], plain, "parent", "data")["config"]


def test_a_stage_that_trains_has_it_in_its_key() -> None:
    spread = recipe(distribute="mirrored")

    assert spread.to_document()["distribute"] == {"strategy": "mirrored"}
    assert parts_of(spread.stages[0], spread, "parent", "data")["config"]["distribute"] == {"strategy": "mirrored"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("mirored", "Did you mean 'mirrored'"),
        (2, "must be mirrored, multi_worker, auto"),
        ({"devices": 2}, "needs the key 'strategy'"),
        ({"strategy": "mirrored", "devices": 0}, "at least 1"),
        ({"strategy": "mirrored", "device": "cpu"}, "needs a number"),
        ({"strategy": "auto", "devices": 2}, "finds the devices itself"),
    ],
)
def test_what_is_refused(value: object, said: str) -> None:
    with pytest.raises(RecipeError) as caught:
        recipe(distribute=value)

    assert said in str(caught.value)
