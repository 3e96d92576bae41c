"""Models from elsewhere: what a recipe may say of them, and that a stage's key knows what they are, not where."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.support import recipes
from tests.support.errors import refused
from tests.support.recipes import known
from tests.support.stand_ins.needing_stages import Take
from tfopt.core.config.model_source import ModelSource
from tfopt.core.recipe.catalog import Catalog
from tfopt.engine.keys import parts_of
from tfopt.errors import RecipeError

CATALOG = Catalog({**known().stages, "take": Take}, known().exports)

recipe = partial(recipes.recipe, stage_types=CATALOG)


TRAIN = {"train": {"epochs": 1}}


@pytest.mark.parametrize(
    ("source", "kind", "label"),
    [
        ({"stage": "train"}, "stage", "stage train"),
        ({"seed": 3}, "seed", "seed 3"),
        ({"recipe": "other.yaml"}, "recipe", "recipe other.yaml"),
        ({"recipe": "other.yaml", "seed": 3}, "recipe", "recipe other.yaml seed 3"),
        ({"file": "teacher.tflite"}, "file", "file teacher.tflite"),
    ],
)
def test_each_place_has_its_kind_and_label(source: dict[str, Any], kind: str, label: str) -> None:
    read = ModelSource(**source)
    assert (read.kind, read.label) == (kind, label)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({}, r"take.model needs exactly one of stage, recipe, seed and file \(recipe may have a seed\). Got none"),
        ({"stage": "train", "file": "a.h5"}, "needs exactly one .* Got stage and file"),
        ({"seed": 1, "file": "a.h5"}, "needs exactly one .* Got seed and file"),
        ({"stage": "trian"}, "take.model.stage is 'trian', not an earlier stage. Did you mean 'train'"),
        ({"stage": "take"}, "take.model.stage is 'take', not an earlier stage"),
    ],
)
def test_a_mistake_is_told_at_its_place(source: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe(TRAIN, {"take": {"model": source}})


def test_a_seed_needs_stages_that_are_run_with_it() -> None:
    with refused(RecipeError, "no_earlier_stage", "take.model.seed is 3"):
        recipe({"take": {"model": {"seed": 3}}})


def test_a_stage_needs_every_source_among_its_keys() -> None:
    stage = recipe(TRAIN, {"take": {"model": {"seed": 3}}}).stage("take")
    assert stage.sources(seed=7) == (ModelSource(seed=3),)
    assert recipe(TRAIN).stage("train").sources(seed=7) == ()


def test_the_key_knows_what_is_there_and_not_where() -> None:
    def parts(source: dict[str, Any], key: str) -> dict[str, Any]:
        asked = recipe(TRAIN, {"take": {"model": source}})
        return parts_of(asked.stage("take"), asked, "parent", "data", [key])

    one = parts({"file": "here.h5"}, "a" * 64)
    assert one == parts({"file": "there.h5"}, "a" * 64) == parts({"seed": 3}, "a" * 64)
    assert one != parts({"file": "here.h5"}, "b" * 64)
    assert one["config"]["sources"] == ["a" * 64]
