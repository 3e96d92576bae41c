"""`precision` of a recipe: in the keys of the stages that train in it."""

from __future__ import annotations

from typing import Any

import pytest

from tfopt.catalog.catalog import catalog
from tfopt.core.recipe.recipe import Recipe, build_recipe
from tfopt.engine.keys import batch_size_of, parts_of
from tfopt.errors import RecipeError


def recipe(**keys: Any) -> Recipe:
    stages = [{"train": {"epochs": 1}}, {"qat": {"epochs": 1}}]
    document = {"name": "r", "data": {"source": "digits"}, "model": {"source": "mlp"}, "stages": stages}
    return build_recipe({**document, **keys}, catalog())


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({}, [None, None]),
        ({"precision": "float32"}, [None, None]),
        ({"precision": "mixed_float16"}, ["mixed_float16", None]),
    ],
)
def test_stages_that_train_in_it_have_it_in_their_key(keys: dict[str, Any], found: list[str | None]) -> None:
    made = recipe(**keys)
    assert [parts_of(stage, made, "parent", "data")["config"].get("precision") for stage in made.stages] == found
    assert ("precision" in made.to_document()) == bool(keys)


def test_another_name_is_refused() -> None:
    with pytest.raises(RecipeError, match="must be float32, mixed_float16 or mixed_bfloat16"):
        recipe(precision="float16")


def test_a_step_of_several_batches_has_the_examples_of_all() -> None:
    made = recipe(compile={"gradient_accumulation_steps": 4})
    assert batch_size_of(made.stages[0], made) == 4 * made.data.batch_size
