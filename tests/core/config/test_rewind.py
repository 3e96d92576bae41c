"""Rewinding to an epoch of an earlier stage: what a recipe may ask for, and what its keys know of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.errors import refused
from tests.support.recipes import document, known
from tfopt.core.recipe.recipe import Recipe, build_recipe
from tfopt.engine.keys import key_of
from tfopt.errors import RecipeError
from tfopt.stages.prune import Prune
from tfopt.stages.train import Train

CATALOG = known()


def written(rewind: Any, *before: dict[str, Any], **prune: Any) -> dict[str, Any]:
    changed = document()
    body = {**changed["stages"][1]["prune"], "rewind": rewind, **prune}
    changed["stages"] = [*(before or ({"train": {"epochs": 15, "keep": [2, 5]}},)), {"prune": body}]
    return changed


def keys(recipe: Recipe) -> list[str]:
    found = ["model"]
    for stage in recipe.stages:
        found.append(key_of(stage, recipe, found[-1], "data"))
    return found[1:]


def test_a_rewind_to_a_kept_epoch_comes_back_as_written() -> None:
    recipe = build_recipe(written({"stage": "train", "epoch": 5}), CATALOG)
    train, prune = recipe.stages
    assert train.kept_epochs() == (2, 5)
    assert prune.depends_on() == ("train",)
    assert build_recipe(recipe.to_document(), CATALOG) == recipe


METRIC = {"kind": "metric", "final": "80%"}


@pytest.mark.parametrize(
    ("changed", "path", "message"),
    [
        (
            written({"stage": "tran", "epoch": 2}),
            ("stages", 1, "prune", "rewind", "stage"),
            "prune.rewind.stage is 'tran', not an earlier stage. Did you mean 'train'?",
        ),
        (
            written({"stage": "prune", "epoch": 2}),
            ("stages", 1, "prune", "rewind", "stage"),
            "prune.rewind.stage is 'prune', not an earlier stage. Earlier stages: train.",
        ),
        (
            written({"stage": "first", "epoch": 2}, {"prune": {"name": "first", "epochs": 3, "schedule": METRIC}}),
            ("stages", 1, "prune", "rewind", "stage"),
            "prune.rewind.stage is 'first', a prune stage, which keeps no epochs. Name a train stage, the dense one.",
        ),
        (
            written({"stage": "train", "epoch": 3}),
            ("stages", 1, "prune", "rewind", "epoch"),
            "prune.rewind.epoch is 3, but train does not keep the weights of that epoch. "
            "Write keep: [2, 3, 5] in train.",
        ),
        (
            written({"stage": "train", "epoch": 16}),
            ("stages", 1, "prune", "rewind", "epoch"),
            "prune.rewind.epoch is 16, but train has 15 epochs.",
        ),
        (
            written({"stage": "train", "epoch": 0}),
            ("stages", 1, "prune", "rewind", "epoch"),
            "prune.rewind.epoch must be at least 1. Got 0.",
        ),
        (
            written({"stage": "train", "epoch": 2}, {"train": {"epochs": 3, "keep": [2, 4]}}),
            ("stages", 0, "train", "keep", 1),
            "train.keep.1 is 4, but the stage has 3 epochs.",
        ),
        (
            written({"stage": "train", "epoch": 2}, schedule=METRIC),
            ("stages", 1, "prune", "rewind"),
            "prune.rewind cannot be combined with a schedule of kind metric: the step at which it reaches its final "
            "sparsity, if ever, is not known.",
        ),
        (
            written({"stage": "train", "epoch": 2}, layers=[{"match": "logits", "schedule": METRIC}]),
            ("stages", 1, "prune", "rewind"),
            "prune.rewind cannot be combined with a schedule of kind metric: the step at which it reaches its final "
            "sparsity, if ever, is not known.",
        ),
    ],
)
def test_what_cannot_work_is_refused_in_its_place(
    changed: dict[str, Any], path: tuple[str | int, ...], message: str
) -> None:
    with pytest.raises(RecipeError, match=r"\.") as caught:
        build_recipe(changed, CATALOG)
    (problem,) = caught.value.problems
    assert (problem.path, str(problem)) == (path, message)


def test_a_broken_stage_is_not_also_called_absent() -> None:
    changed = written({"stage": "train", "epoch": 2}, {"train": {"epochs": 0, "keep": [2]}})
    with refused(RecipeError, "out_of_range", "train.epochs", "1") as caught:
        build_recipe(changed, CATALOG)
    assert len(caught.value.problems) == 1


def test_stages_that_neither_keep_nor_rewind_have_the_keys_that_they_had() -> None:
    assert "keep" not in Train(epochs=1).model_dump()
    assert "rewind" not in Prune.model_validate({"epochs": 1, "schedule": METRIC}).model_dump()


def test_the_key_follows_what_is_rewound_to() -> None:
    rewind = {"stage": "train", "epoch": 2}
    base = keys(build_recipe(written(rewind), CATALOG))
    for changed in (
        written({"stage": "train", "epoch": 5}),
        written(rewind, {"train": {"epochs": 15, "keep": [2]}}),
        written(rewind, {"train": {"epochs": 15, "keep": [2, 5], "learning_rate": 0.1}}),
    ):
        assert keys(build_recipe(changed, CATALOG))[-1] != base[-1]


def test_stages_that_swap_their_names_are_not_taken_for_one_another() -> None:
    """Names are no part of a train stage's key, so both chains are equal up to the pruning."""
    body = {"epochs": 3, "keep": [2]}

    def named(*names: str) -> list[str]:
        trains = [{"train": {**body, "name": name}} for name in names]
        return keys(build_recipe(written({"stage": "one", "epoch": 2}, *trains), CATALOG))

    first, swapped = named("one", "two"), named("two", "one")
    assert first[:2] == swapped[:2]
    assert first[2] != swapped[2]
