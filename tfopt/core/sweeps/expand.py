"""A recipe, axes and seeds -> trials: an ordered list of recipes, each with a short name, none twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from tfopt.core.config.sweep import SweepConfig
from tfopt.core.language.axes import Alternative, alternatives, names_of
from tfopt.core.records.fingerprint import fingerprint
from tfopt.errors import Problem, RecipeError, UsageError

if TYPE_CHECKING:
    from tfopt.core.recipe.recipe import Recipe


@dataclass(frozen=True)
class Trial:
    """One variant of the recipe with one seed.

    Args:
        name: short and unique in the sweep, e.g. `polynomial final=80% seed=7`.
        group: the name without the seed: trials of one group differ in nothing else.
        seed: the seed.
        overrides: what differs from the recipe, by path, besides the seed.
        recipe: what is run.
    """

    name: str
    group: str
    seed: int
    overrides: Mapping[str, object]
    recipe: Recipe


@dataclass(frozen=True)
class Expansion:
    """All trials of a sweep.

    Args:
        key: the same for the same trials, whatever they are called: names the sweep's folder.
        recipe: the recipe without its `sweep:` block.
        trials: in the order in which they are begun.
        notes: remarks before the start: combinations that are the same recipe, trials that are left out.
    """

    key: str
    recipe: Recipe
    trials: tuple[Trial, ...]
    notes: tuple[str, ...]


def expand(recipe: Recipe) -> Expansion:
    """Every combination of the axes with every seed, as given by the recipe's `sweep:` block.

    Args:
        recipe: what is varied.

    Raises:
        UsageError: it has neither axes nor several seeds.
        RecipeError: with every mistake of every trial, each naming its trial.
    """
    config = recipe.sweep
    if config is None or (not config.axes and config.seeds == 1):
        raise UsageError(
            f"There is nothing to vary in {recipe.name}: no axes and one seed.",
            "Give --axis PATH=V1,V2 or --seeds N, or write a sweep: block into the recipe.",
            code="nothing_to_vary",
        )
    plain = without_sweep(recipe)
    choices = _combinations(config)
    found: dict[str, tuple[str, Alternative, Recipe]] = {}
    wrong: dict[Problem, list[str]] = {}
    notes: list[str] = []
    for name, choice in zip(names_of(choices), choices, strict=True):
        try:
            varied = plain.with_overrides(choice) if choice else plain
        except RecipeError as error:
            for problem in error.problems:
                wrong.setdefault(problem, []).append(name)
            continue
        key = fingerprint(varied.to_document())
        if key in found:
            notes.append(f"{name} is the same recipe as {found[key][0]}: it is run once.")
        else:
            found[key] = (name, choice, varied)
    if wrong:
        raise RecipeError([_of_trials(problem, names) for problem, names in wrong.items()])
    variants = list(found.values())
    names = names_of([choice for _, choice, _ in variants])
    # Seeds outside: each alternative has a first result before any is repeated.
    trials = [
        Trial(f"{name} seed={seed}".strip(), name or plain.name, seed, choice, varied.model_copy(update={"seed": seed}))
        for seed in config.seeds_from(plain.seed)
        for name, (_, choice, varied) in zip(names, variants, strict=True)
    ]
    key = fingerprint([trial.recipe.to_document() for trial in trials])
    left_out = len(trials) - (config.max_trials or len(trials))
    if left_out > 0:
        notes.append(f"max_trials is {config.max_trials}: {left_out} of {len(trials)} trials are left out.")
    return Expansion(key, plain, tuple(trials[: config.max_trials]), tuple(notes))


def without_sweep(recipe: Recipe) -> Recipe:
    """The recipe as `tfopt run` carries it out."""
    return recipe.model_copy(update={"sweep": None})


def _combinations(config: SweepConfig) -> list[Alternative]:
    axes = [alternatives(axis) for axis in config.axes]
    return [{path: value for part in parts for path, value in part.items()} for parts in product(*axes)]


def _of_trials(problem: Problem, names: Sequence[str]) -> Problem:
    others = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
    return replace(problem, message=f"trial {names[0] or 'of the recipe itself'}{others}: {problem.message}")
