"""The classes of stages and exports, by their recipe keys: what a recipe is checked against.

They are imported, those of other packages included, and do not import TensorFlow.
"""

from __future__ import annotations

from importlib import import_module
from inspect import isclass
from types import ModuleType
from typing import TypeVar

from tfopt.catalog.entries import Entry, Kind, find
from tfopt.catalog.references import is_function
from tfopt.core.contracts.export import Export
from tfopt.core.contracts.stage import Stage
from tfopt.core.language.block import Block
from tfopt.core.recipe.catalog import Catalog
from tfopt.core.recipe.recipe import Recipe
from tfopt.errors import EnvironmentProblem

B = TypeVar("B", bound=Block)


def stage_classes() -> dict[str, type[Stage]]:
    """Every stage by its recipe key.

    Raises:
        EnvironmentProblem: an entry point cannot be imported, or brings no stage.
    """
    return {name: class_of(entry, "stages", Stage) for name, entry in find("stages").items()}


def export_classes() -> dict[str, type[Export]]:
    """Every export by its recipe key.

    Raises:
        EnvironmentProblem: an entry point cannot be imported, or brings no export.
    """
    return {name: class_of(entry, "exports", Export) for name, entry in find("exports").items()}


def catalog() -> Catalog:
    """The stages and exports that a recipe may name here.

    Raises:
        EnvironmentProblem: an entry point cannot be used.
    """
    return Catalog(stage_classes(), export_classes())


def class_of(entry: Entry, kind: Kind, base: type[B]) -> type[B]:
    """Imports the class of a stage or export and tells it its recipe key.

    Raises:
        EnvironmentProblem: it cannot be imported, or there is not exactly one.
    """
    who = f"The entry point {entry.name!r} of group tfopt.{kind} in the package {entry.origin}"
    if entry.origin == "tfopt":
        module = import_module(entry.module)
    else:
        try:
            module = import_module(entry.module)
        except Exception as error:  # importing the code of another package can raise anything
            raise EnvironmentProblem(
                f"{who} cannot be imported from {entry.module}: {type(error).__name__}: {error}.",
                f"Repair or uninstall {entry.origin}.",
                code="broken_plugin",
            ) from error
    found = _classes(module, entry.attribute, base)
    if len(found) != 1:
        names = ", ".join(cls.__name__ for cls in found) or "none"
        raise EnvironmentProblem(
            f"{who} must name one subclass of {base.__name__}; {entry.module} has {names}.",
            f"Repair or uninstall {entry.origin}.",
            code="broken_plugin",
        )
    cls = found[0]
    if cls.__dict__.get("kind", entry.name) not in ("", entry.name):
        raise EnvironmentProblem(
            f"{who} is the class {cls.__name__}, which is already known as {cls.__dict__['kind']!r}.",
            code="broken_plugin",
        )
    cls.kind = entry.name  # type: ignore[attr-defined]
    return cls


def _classes(module: ModuleType, attribute: str | None, base: type[B]) -> list[type[B]]:
    if attribute is not None:
        candidate = getattr(module, attribute, None)
        return [candidate] if isclass(candidate) and issubclass(candidate, base) else []
    return [
        value
        for name, value in vars(module).items()
        if isclass(value) and issubclass(value, base) and value.__module__ == module.__name__ and name[0] != "_"
    ]


def code_named_by(recipe: Recipe) -> list[str]:
    """The `package.module:function` texts whose code running the recipe would import."""
    return [source for source in (recipe.data.source, recipe.model.source) if is_function(source)]
