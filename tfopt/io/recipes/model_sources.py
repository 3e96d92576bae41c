"""The external models that stages need: other recipes, other seeds, files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tfopt.core.config.model_source import FILES, ModelSource, sources_in
from tfopt.core.recipe.catalog import Catalog
from tfopt.core.recipe.recipe import Recipe
from tfopt.errors import Problem, RecipeError
from tfopt.io.system.files import content_hash

ReadRecipe = Callable[[Path, Catalog], Recipe]
"""Reads another recipe with all that it needs: `tfopt.io.recipes.recipe_file.load_recipe`."""


def model_source_problems(recipe: Recipe, read: ReadRecipe, asking: Sequence[Path] = ()) -> list[Problem]:
    """Recipes and files that stages name and that cannot be used, each with its path.

    Args:
        recipe: otherwise without mistakes.
        read: reads another recipe.
        asking: the recipes for which this is asked, this one the last, so that a circle is found.
    """
    found: list[Problem] = []
    for index, stage in enumerate(recipe.stages):
        for path, source in sources_in(stage):
            place = ("stages", index, stage.kind, *path)
            name = ".".join(str(part) for part in (stage.name, *path))
            found += _of_source(source, recipe, place, name, read, asking)
    return found


def recipe_of(source: ModelSource, index: int, recipe: Recipe, read: ReadRecipe) -> Recipe:
    """The recipe whose last stage gives a model; it has no exports.

    Args:
        source: of kind `recipe` or `seed`.
        index: index of the stage that needs the model.
        recipe: whose stage it is.
        read: reads another recipe (`tfopt.io.recipes.recipe_file.load_recipe`).

    Raises:
        RecipeError: the other recipe has mistakes.
    """
    only_stages: dict[str, object] = {"export": (), "budgets": (), "sweep": None}
    if source.recipe is None:
        changes = {"stages": recipe.stages[:index], "seed": source.seed}
        return recipe.model_copy(update={**only_stages, **changes})
    other = read(Path(recipe.folder) / source.recipe, recipe.catalog)
    return other.model_copy(update={**only_stages, "seed": other.seed if source.seed is None else source.seed})


def path_of(source: ModelSource, recipe: Recipe) -> Path:
    """The path of a source of kind `file`."""
    return Path(recipe.folder) / str(source.file)


def source_keys(recipe: Recipe, index: int, key_of_recipe: Callable[[Recipe], str], read: ReadRecipe) -> list[str]:
    """Key parts for the external models of a stage, in their order.

    For an earlier stage its index, as for `Stage.depends_on`; for a file the hash of its content.

    Args:
        recipe: whose stage it is.
        index: index of the stage.
        key_of_recipe: key of the last stage of another recipe.
        read: reads another recipe.
    """
    keys = []
    for source in recipe.stages[index].sources(recipe.seed):
        if source.kind == "stage":
            keys.append(f"stage {recipe.stages.index(recipe.stage(str(source.stage)))}")
        elif source.kind == "file":
            keys.append(content_hash(path_of(source, recipe)))
        else:
            keys.append(key_of_recipe(recipe_of(source, index, recipe, read)))
    return keys


def _of_source(
    source: ModelSource,
    recipe: Recipe,
    place: tuple[str | int, ...],
    name: str,
    read: ReadRecipe,
    asking: Sequence[Path],
) -> list[Problem]:
    if source.file is not None:
        return _of_file(path_of(source, recipe), (*place, "file"), f"{name}.file")
    if source.recipe is None:
        return []
    path = Path(recipe.folder) / source.recipe
    place, name = (*place, "recipe"), f"{name}.recipe"
    if os.path.realpath(path) in [os.path.realpath(one) for one in asking]:
        circle = " -> ".join(str(one) for one in (*asking, path))
        return [
            Problem(place, f"{name} leads back to a recipe that needs this one: {circle}.", code="circular_reference")
        ]
    return _of_recipe(path, recipe.catalog, place, name, read)


def _of_file(path: Path, place: tuple[str | int, ...], name: str) -> list[Problem]:
    # `Path.exists` raises on names that are too long or hold a zero byte.
    if not os.path.exists(path):
        hint = "A relative path starts at the folder of its recipe."
        return [Problem(place, f"{name} names a file that is not there: {path}.", hint, code="file_not_found")]
    saved_model = os.path.isfile(path / "saved_model.pb")
    if not saved_model and (path.is_dir() or path.suffix not in FILES):
        return [
            Problem(
                place,
                f"{name} is no model file: {path}.",
                f"Known: {', '.join(FILES)}, a SavedModel folder.",
                code="unknown_file_type",
            )
        ]
    return []


def _of_recipe(
    path: Path, catalog: Catalog, place: tuple[str | int, ...], name: str, read: ReadRecipe
) -> list[Problem]:
    if not os.path.isfile(path):
        hint = "A relative path starts at the folder of its recipe."
        return [Problem(place, f"{name} names a recipe that is not there: {path}.", hint, code="file_not_found")]
    try:
        other = read(path, catalog)
    except RecipeError as error:
        first, more = error.problems[0], len(error.problems) - 1
        others = f" (and {more} more)" if more else ""
        where = f"{first.where}: " if first.where else ""
        return [
            Problem(
                place,
                f"{name} names a recipe with mistakes{others}: {where}{first.message}",
                first.hint,
                code="invalid_recipe",
            )
        ]
    if not other.stages:
        hint = "Name the file itself: {file: ...}."
        return [
            Problem(
                place,
                f"{name} names a recipe without stages, so that nothing makes a model: {path}.",
                hint,
                code="empty_recipe",
            )
        ]
    return []
