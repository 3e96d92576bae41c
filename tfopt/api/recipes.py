"""Recipes: read, check, list what they can name, begin one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tfopt.errors import RecipeError
from tfopt.results import CatalogEntry, ValidationResult

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue

    # Each function imports what it needs: `tfopt ls` must not wait for the recipe language, nor `validate` for reports.
    from tfopt.core.recipe.recipe import Recipe

Kind = Literal["models", "datasets", "stages", "schedules", "exports", "criteria", "targets", "recipes"]
"""What can be listed."""


def load(path: str | Path, overrides: Mapping[str, object] | Sequence[str] = ()) -> Recipe:
    """Reads a recipe.

    Args:
        path: the YAML file.
        overrides: values by recipe path, e.g. `{"stages.prune.schedule.final": "90%"}`, or `"path=value"` texts.

    Raises:
        RecipeError: with every mistake, each with its location in the file.
    """
    from tfopt.catalog.catalog import catalog
    from tfopt.io.recipes.recipe_file import load_recipe, parse_overrides

    values = overrides if isinstance(overrides, Mapping) else parse_overrides(overrides)
    return load_recipe(Path(path), catalog(), values)


def validate(paths: Sequence[str | Path]) -> list[ValidationResult]:
    """Checks recipes without running anything and without loading TensorFlow."""
    from tfopt.catalog.catalog import code_named_by

    checked = []
    for path in paths:
        try:
            recipe = load(path)
        except RecipeError as error:
            checked.append(ValidationResult(str(path), error.problems, ()))
        else:
            checked.append(ValidationResult(str(path), (), tuple(code_named_by(recipe))))
    return checked


def list_names(kind: Kind | None = None) -> dict[str, list[CatalogEntry]]:
    """What can be named in a recipe, by kind; all kinds without an argument."""
    from tfopt.io.recipes.listing import LISTERS

    kinds = LISTERS if kind is None else {kind: LISTERS[kind]}
    return {name: [CatalogEntry(*row) for row in rows()] for name, rows in kinds.items()}


def schema(which: Literal["recipe", "report"] = "recipe") -> JsonSchemaValue:
    """JSON Schema of recipes (for editors) or of report.json (for tools)."""
    if which == "report":
        from tfopt.core.records.report import Report

        return Report.model_json_schema(by_alias=True)
    from tfopt.catalog.catalog import catalog
    from tfopt.core.recipe.schema import recipe_schema

    return recipe_schema(catalog())


def init(path: str | Path) -> Path:
    """Writes the commented starter recipe.

    Raises:
        UsageError: the file exists, or cannot be written.
    """
    from tfopt.io.recipes.starter import write_starter

    return write_starter(Path(path))
