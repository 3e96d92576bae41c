"""A recipe, axes and seeds become trials."""

from __future__ import annotations

from typing import Any

import pytest

import tfopt
from tests.support.errors import refused
from tests.support.root import REPOSITORY
from tfopt.core.config.sweep import SweepConfig
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.sweeps import expand as sweep
from tfopt.core.sweeps.expand import Expansion
from tfopt.errors import RecipeError, UsageError

KIND = {"stages.prune.schedule.kind": ["polynomial", "constant"]}
FINAL = {"stages.prune.schedule.final": "50%..90%/3"}


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return tfopt.load(REPOSITORY / "recipes" / "digits_prune_qat.yaml")


def config(*axes: dict[str, Any], **others: Any) -> SweepConfig:
    return SweepConfig(axes=axes, **others)


def expand(recipe: Recipe, config: SweepConfig) -> Expansion:
    return sweep.expand(recipe.with_overrides({"sweep": config}))


def test_every_combination_with_every_seed_seeds_outside(recipe: Recipe) -> None:
    trials = expand(recipe, config(KIND, FINAL, seeds=2)).trials
    assert len(trials) == 12
    assert [trial.seed for trial in trials] == [7] * 6 + [8] * 6
    assert trials[0].name == "polynomial final=50% seed=7"
    assert trials[11].name == "constant final=90% seed=8"
    assert len({trial.name for trial in trials}) == 12
    assert trials[11].recipe.seed == 8
    assert trials[11].recipe == recipe.with_overrides({**trials[11].overrides, "seed": 8})
    assert {trial.group for trial in trials[:6]} == {trial.group for trial in trials[6:]}


def test_seeds_may_be_listed(recipe: Recipe) -> None:
    assert [trial.name for trial in expand(recipe, config(seeds=(5, 3))).trials] == ["seed=5", "seed=3"]


def test_a_sweep_over_seeds_alone_is_the_recipe_itself_again(recipe: Recipe) -> None:
    (first, second) = expand(recipe, config(seeds=2)).trials
    assert first.recipe == recipe
    assert first.group == second.group == recipe.name


def test_nothing_to_vary_is_a_mistake_of_the_caller(recipe: Recipe) -> None:
    with refused(UsageError, "nothing_to_vary"):
        expand(recipe, config())
    with refused(UsageError, "nothing_to_vary"):
        sweep.expand(recipe)


def test_whole_blocks_can_be_alternatives(recipe: Recipe) -> None:
    blocks = [{"kind": "constant", "final": "70%"}, {"kind": "polynomial", "final": "80%", "power": 1}]
    first, second = expand(recipe, config({"stages.prune.schedule": blocks})).trials
    assert first.recipe.to_document()["stages"][1]["prune"]["schedule"]["kind"] == "constant"
    assert second.recipe.to_document()["stages"][1]["prune"]["schedule"]["power"] == 1
    assert [first.group, second.group] == ["constant", "polynomial"]


def test_equal_recipes_run_once_and_it_is_said(recipe: Recipe) -> None:
    expansion = expand(recipe, config({"stages.prune.schedule.final": ["80%", 0.8, "90%"]}))
    assert [trial.name for trial in expansion.trials] == ["final=80% seed=7", "final=90% seed=7"]
    assert expansion.notes == ("final=0.8 is the same recipe as final=80%: it is run once.",)


def test_max_trials_keeps_every_alternative_before_repeating_one(recipe: Recipe) -> None:
    expansion = expand(recipe, config(KIND, seeds=3, max_trials=3))
    assert [trial.name for trial in expansion.trials] == ["polynomial seed=7", "constant seed=7", "polynomial seed=8"]
    assert expansion.notes == ("max_trials is 3: 3 of 6 trials are left out.",)


def test_the_key_belongs_to_the_trials(recipe: Recipe) -> None:
    key = expand(recipe, config(KIND, seeds=2)).key
    assert key == expand(recipe, config(KIND, seeds=(7, 8))).key
    assert key == expand(recipe, config(KIND, seeds=2, max_trials=1)).key
    assert key != expand(recipe, config(KIND, seeds=3)).key


def test_all_mistakes_of_all_trials_at_once_each_naming_its_trial(recipe: Recipe) -> None:
    with pytest.raises(RecipeError, match="trial final=120%") as caught:
        expand(
            recipe, config({"stages.prune.schedule.final": ["80%", "120%"]}, {"stages.prune.epoch": [1, 2]}, seeds=4)
        )
    messages = [problem.message for problem in caught.value.problems]
    assert len(messages) == 2
    assert messages[0].startswith("trial final=80% epoch=1 (and 3 more): prune has no key 'epoch'")
    assert "below 100%. Got 120%" in messages[1]


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ({"axes": [{"seed": [1, 2]}]}, "seed cannot be an axis: seeds have their own key"),
        ({"axes": [{"name": ["a", "b"]}]}, "name cannot be an axis"),
        ({"axes": [{}]}, "names no path of the recipe"),
        ({"axes": [{"stages.train.epochs": 3}]}, "must be a list of values"),
        ({"axes": [{"stages.train.epochs": [3]}, {"stages.train.epochs": [4]}]}, "is in two axes"),
        ({"axes": [{"a": [1, 2], "b": [1]}]}, "a and b go together and must have the same number"),
        ({"seeds": 0}, "seeds must be at least 1"),
        ({"seeds": [1, 1]}, "each seed once"),
        ({"axis": []}, "Did you mean 'axes'"),
    ],
)
def test_mistakes_in_the_block_are_told_in_the_words_of_the_recipe(recipe: Recipe, block: Any, complaint: str) -> None:
    with pytest.raises(RecipeError, match=complaint):
        recipe.with_overrides({"sweep": block})


def test_the_block_survives_being_written_and_read(recipe: Recipe) -> None:
    block = {"axes": [{**KIND}, {"stages.train.epochs": [1, 2], "stages.prune.epochs": "3..4/2"}], "seeds": 3}
    swept = recipe.with_overrides({"sweep": block})
    assert swept.to_document()["sweep"] == block
    assert swept.with_overrides({}) == swept
    assert sweep.expand(swept).recipe == recipe
