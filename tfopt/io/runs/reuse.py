"""Whether a run would repeat an existing one: decided from the recipe and its files, without TensorFlow."""

from __future__ import annotations

from pathlib import Path

from tfopt.catalog.catalog import code_named_by
from tfopt.catalog.entries import Kind, find
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.fingerprint import fingerprint
from tfopt.io.recipes.model_sources import recipe_of
from tfopt.io.recipes.recipe_file import load_recipe
from tfopt.io.system.environment import environment, package_version
from tfopt.io.system.files import data_hash


def recipe_identity(recipe: Recipe) -> str:
    """Equal for recipes with the same content."""
    return fingerprint(recipe.to_document())


def run_identity(recipe: Recipe) -> str | None:
    """Equal for runs that must give the same results: recipe, versions, and the content of the files it names.

    Returns:
        None where that is unknown: the recipe names code, or a data set or model of another package, whose results
        may depend on anything.
    """
    if code_named_by(recipe) or not (_own(recipe.data.source, "datasets") and _own(recipe.model.source, "models")):
        return None
    found = environment()
    versions = {name: value for name, value in found.model_dump().items() if name not in ("cpu", "threads")}
    versions["scikit-learn"] = package_version("scikit-learn")
    contents = {text: data_hash(Path(text)) for text in _texts(recipe.to_document()) if _names_file(text)}
    others = [run_identity(other) for other in _needed(recipe)]
    return None if None in others else fingerprint([recipe.to_document(), versions, contents, *others])


def _needed(recipe: Recipe) -> list[Recipe]:
    """The other recipes whose results the stages of this one need."""
    return [
        recipe_of(source, index, recipe, load_recipe)
        for index, stage in enumerate(recipe.stages)
        for source in stage.sources(recipe.seed)
        if source.kind == "recipe"
    ]


def _own(source: str, kind: Kind) -> bool:
    """Whether a source is a file, a Keras application or one of tfopt's own names."""
    entry = find(kind, described=()).get(source)
    return entry is None or entry.origin == "tfopt"


def _texts(value: object) -> set[str]:
    if isinstance(value, dict):
        return {text for part in value.values() for text in _texts(part)}
    if isinstance(value, list):
        return {text for part in value for text in _texts(part)}
    return {value} if isinstance(value, str) else set()


def _names_file(text: str) -> bool:
    return "/" in text and "\n" not in text and Path(text).exists()
