"""Recipe files: YAML text to Recipe, with the location of every mistake, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tfopt.core.recipe.catalog import Catalog
from tfopt.core.recipe.overrides import Overridden, apply_overrides
from tfopt.core.recipe.recipe import Head, Origin, Recipe, read_recipe
from tfopt.errors import Problem, RecipeError, UsageError
from tfopt.io.recipes.extends import read_chain
from tfopt.io.recipes.model_sources import model_source_problems
from tfopt.io.recipes.paths import absolute_paths
from tfopt.io.recipes.sources import source_problems
from tfopt.io.recipes.yaml import Node, dump, parse_value


def load_recipe(
    path: Path, catalog: Catalog, overrides: Mapping[str, object] | None = None, asked_by: Sequence[Path] = ()
) -> Recipe:
    """Reads a recipe file.

    Relative paths in it start at its folder, those in `overrides` too.

    Args:
        path: the YAML file.
        catalog: stages and exports that may be named (`tfopt.catalog.catalog.catalog`).
        overrides: values by recipe path; see `tfopt.core.recipe.overrides`.
        asked_by: the recipes for which this one is read, the first first.

    Raises:
        RecipeError: with every mistake, each with its location in the file.
    """
    root = read_chain(path)
    changed = apply_overrides(root.plain(), overrides or {}, catalog, Head)
    document = changed.document
    for place, value in absolute_paths(document, path.parent):
        document = _with_value(document, place, value)
    recipe, problems = read_recipe(document, catalog)
    problems += source_problems(document)
    if recipe is not None:
        recipe = recipe.coming_from(Origin(catalog, str(path.parent)))
        asking = (*asked_by, path)
        problems += model_source_problems(recipe, partial(load_recipe, asked_by=asking), asking)
    if recipe is None or problems or changed.problems:
        placed = [_placed(problem, root, changed) for problem in problems]
        refused = [replace(problem, message=f"--set {problem.message}") for problem in changed.problems]
        raise RecipeError(sorted([*placed, *refused], key=lambda problem: _order(problem, path)))
    return recipe.coming_from(Origin(catalog, str(path.parent), partial(_placed, root=root, changed=changed)))


def parse_overrides(texts: Sequence[str]) -> dict[str, object]:
    """Overrides as typed on a command line: `stages.prune.epochs=3`.

    Raises:
        UsageError: no `=`, or a value that is not YAML.
    """
    overrides: dict[str, object] = {}
    for text in texts:
        path, equals, value = text.partition("=")
        path = path.strip()
        if not equals or not path:
            raise UsageError(
                f"--set must be PATH=VALUE. Got {text!r}.", "For example --set stages.prune.epochs=3.", code="usage"
            )
        if path in overrides:
            raise UsageError(f"--set gives {path} twice.", code="usage")
        try:
            overrides[path] = parse_value(value)
        except RecipeError as error:
            problem = error.problems[0]
            raise UsageError(f"--set {path}: {value!r} cannot be read: {problem.message}", code="usage") from None
    return overrides


def dump_recipe(recipe: Recipe) -> str:
    """The YAML text of a recipe, resolved: every default written out."""
    return dump(_kind_first(recipe.to_document()))


def _kind_first(block: Mapping[str, object]) -> dict[str, object]:
    return {key: _ordered(block[key]) for key in sorted(block, key=lambda key: key != "kind")}


def _ordered(value: object) -> object:
    if isinstance(value, Mapping):
        return _kind_first(value)
    return [_ordered(part) for part in value] if isinstance(value, list) else value


def _with_value(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    changed = document.copy()
    changed[path[0]] = _with_value(changed[path[0]], path[1:], value)
    return changed


def _placed(problem: Problem, root: Node, changed: Overridden) -> Problem:
    override = changed.override_of(problem.path)
    if override is not None:
        return replace(problem, message=f"--set {override}: {problem.message}")
    return problem.at(root.place_of(problem.path, problem.on_key))


def _order(problem: Problem, main: Path) -> tuple[bool, bool, str, int, int]:
    """By location: the file itself, then what it extends, then what has no location in a file."""
    where = problem.where
    if where is None:
        return True, True, "", 0, 0
    return False, where.file != str(main), where.file, where.line, where.column
