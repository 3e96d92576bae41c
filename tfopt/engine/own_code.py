"""Code of the user's own besides data and model: that it is there, before anything is loaded or trained."""

from __future__ import annotations

from pathlib import Path

from tfopt.catalog import references
from tfopt.catalog.catalog import own_code_in
from tfopt.core.recipe.recipe import Recipe
from tfopt.errors import Problem, StageError


def check_own_code(recipe: Recipe) -> None:
    """Imports what a recipe names as `package.module:name` besides data and model.

    Raises:
        RecipeError: something is missing or fails on import; every mistake with its place in the file.
    """
    problems: list[Problem] = []
    for path, name in own_code_in(recipe):
        try:
            references.function(name, Path(recipe.folder))
        except StageError as error:
            problems.append(Problem(path, error.message, error.hint, code=error.code))
    if problems:
        raise recipe.error(problems)
