"""The keys of the qat stage: `float_layers`, and its old name `require`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.recipes import document, known
from tfopt.core.contracts.stage import TrainingStage, float_policy
from tfopt.core.recipe.recipe import build_recipe
from tfopt.engine.keys import key_of
from tfopt.errors import RecipeError
from tfopt.stages.qat import Qat
from tfopt.stages.train import Train

OLD_AND_NEW = pytest.mark.parametrize(("old", "new"), [("all", "forbid"), ("listed", "listed"), ("none", "allow")])


def recipe(**keys: Any):
    changed = document()
    changed["stages"][2]["qat"] |= keys
    return build_recipe(changed, known())


@OLD_AND_NEW
def test_the_old_key_is_read_and_written_under_its_new_name(old: str, new: str) -> None:
    stage = recipe(require=old).stages[2]
    assert (stage.require, stage.float_layers, stage.float_policy()) == (old, new, new)
    written = stage.model_dump(mode="json")
    assert written["float_layers"] == new
    assert "require" not in written
    assert Qat.model_validate(written) == stage.model_copy(update={"require": None})


def test_both_names_at_once_are_an_error() -> None:
    with pytest.raises(RecipeError, match="require is the old name of float_layers; remove it, both are given"):
        recipe(require="all", float_layers="forbid")


def test_an_unknown_value_of_the_old_key_is_an_error() -> None:
    with pytest.raises(RecipeError, match="require"):
        recipe(require="some")


def test_neither_name_changes_the_key_in_the_store() -> None:
    recipes = [recipe(), recipe(require="all"), recipe(require="none"), recipe(float_layers="allow")]
    assert len({key_of(found.stages[2], found, "parent", "data") for found in recipes}) == 1


def test_the_schema_marks_the_old_key_as_deprecated() -> None:
    keys = Qat.model_json_schema()["properties"]
    assert keys["require"]["deprecated"] is True
    assert "deprecated" not in keys["float_layers"]


def test_the_policy_of_a_chain_is_that_of_the_stage_that_quantizes() -> None:
    class Theirs(TrainingStage):
        """A stage of a different package that quantizes."""

        adds = frozenset({"quantized"})

        def float_policy(self):
            return "forbid"

    train = Train(name="train", epochs=1)
    assert float_policy([train]) == "listed"
    assert float_policy([train, Qat(epochs=1, float_layers="allow")]) == "allow"
    assert float_policy([train, Theirs(epochs=1)]) == "forbid"
