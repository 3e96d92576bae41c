"""Plans the external models that stages need: which there are, what makes them, whether they fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfopt.core.config.model_source import KnownModel, sources_in
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.stage import Stage, next_traits
from tfopt.core.contracts.types import Data, Model
from tfopt.core.recipe.plan import PlannedSource, PlannedStage
from tfopt.core.recipe.recipe import Recipe
from tfopt.errors import Problem
from tfopt.io.recipes.model_sources import path_of, recipe_of
from tfopt.io.recipes.recipe_file import load_recipe
from tfopt.io.store.store import Store
from tfopt.io.system.files import content_hash

if TYPE_CHECKING:
    from tfopt.engine.prepared import Prepared


def plan_sources(
    recipe: Recipe,
    index: int,
    planned: Sequence[PlannedStage],
    store: Store,
    prepare: Callable[[Recipe], Prepared],
) -> tuple[tuple[PlannedSource, ...], dict[str, Prepared]]:
    """The external models that one stage needs.

    Args:
        recipe: whose stage it is.
        index: of the stage in the recipe.
        planned: the stages before it.
        store: finished stages are found there.
        prepare: plans another recipe.

    Returns:
        The models, in their order, each once; and what makes those of other recipes and seeds, by key.

    Raises:
        RecipeError: another recipe cannot be run.
        StageError: its data or model cannot be loaded.
    """
    found: dict[str, PlannedSource] = {}
    makers: dict[str, Prepared] = {}
    for source in recipe.stages[index].sources(recipe.seed):
        label = source.label
        if source.kind == "stage":
            place = recipe.stages.index(recipe.stage(str(source.stage)))
            found[label] = PlannedSource(
                label,
                "stage",
                planned[place].key,
                "cached" if planned[place].status == "cached" else "will run",
                traits=traits_after(recipe, place + 1),
            )
        elif source.kind == "file":
            path = path_of(source, recipe)
            found[label] = PlannedSource(label, "file", content_hash(path), "cached", file=str(path))
        else:
            other = recipe_of(source, index, recipe, load_recipe)
            prepared = prepare(other)
            last = prepared.plan.stages[-1]
            makers[last.key] = prepared
            found[label] = PlannedSource(
                label,
                source.kind,
                last.key,
                "cached" if store.has(last.key) else "will run",
                name=f"{other.name}-seed-{other.seed}",
                stages=prepared.plan.stages,
                traits=traits_after(other, len(other.stages)),
            )
    return tuple(found.values()), makers


def traits_after(recipe: Recipe, count: int) -> frozenset[Trait]:
    """Traits of a model after the first `count` stages of a recipe."""
    traits: frozenset[Trait] = frozenset()
    for stage in recipe.stages[:count]:
        traits = next_traits(stage, traits)
    return traits


def known_models(
    sources: Sequence[PlannedSource], model: Model, after: Mapping[str, Model], needed: Mapping[str, Prepared]
) -> tuple[dict[str, KnownModel], dict[str, str]]:
    """The external models of a stage as far as they are known before training.

    Args:
        sources: as planned.
        model: with the layers that this recipe's model has when the stage begins.
        after: the same after each earlier stage, by its key.
        needed: what makes those of other recipes and seeds, by key.

    Returns:
        The models by label, and what is wrong with those that do not fit this recipe's inputs and outputs, by label.

    Raises:
        StageError: a file cannot be loaded.
    """
    from tfopt.backend.artifacts import external_models

    known: dict[str, KnownModel] = {}
    misfits: dict[str, str] = {}
    for source in sources:
        if source.kind == "file":
            one = external_models.load_file(Path(source.file))
        else:
            one = needed[source.key].layout if source.key in needed else after[source.key]
        known[source.label] = KnownModel(one, source.traits)
        reason = external_models.reason_incompatible(one, model)
        if reason is not None:
            misfits[source.label] = reason
    return known, misfits


def of_other_preprocessing(
    sources: Sequence[PlannedSource], data: Data, needed: Mapping[str, Prepared]
) -> dict[str, str]:
    """What is wrong with models of other recipes that were trained on inputs made in another way, by label.

    Args:
        sources: as planned.
        data: of this recipe: what the models would be given.
        needed: what makes models of other recipes and seeds, by key.
    """
    found = {}
    for source in sources:
        theirs = needed[source.key].data.preprocessing if source.key in needed else data.preprocessing
        if theirs is None or data.preprocessing is None or theirs.files == data.preprocessing.files:
            continue
        found[source.label] = (
            f"was trained with another {theirs.name}: the same number means something else to it. Give both recipes "
            "the same data block"
        )
    return found


def keys_of(sources: Sequence[PlannedSource], planned: Sequence[PlannedStage]) -> list[str]:
    """Key parts for external models: their store keys; for earlier stages, their index."""
    keys = [stage.key for stage in planned]
    return [f"stage {keys.index(source.key)}" if source.kind == "stage" else source.key for source in sources]


def problem_of(stage: Stage, index: int, label: str, message: str) -> Problem:
    """An external model that does not fit, at the path where the recipe names it."""
    places = {source.label: path for path, source in sources_in(stage)}
    path = places.get(label, ())
    subject = ".".join(str(part) for part in (stage.name, *path))
    return Problem(("stages", index, stage.kind, *path), f"{subject}: {label} {message}", code="incompatible_model")
