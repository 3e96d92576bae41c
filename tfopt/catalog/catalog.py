"""The classes of stages and exports, by their recipe keys: what a recipe is checked against.

Each is imported when a recipe names it, those of other packages included; none imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from inspect import isclass
from types import ModuleType
from typing import TypeVar

from tfopt.catalog.entries import Entry, Kind, find
from tfopt.catalog.references import is_function
from tfopt.core.contracts.export import Export
from tfopt.core.contracts.stage import Stage
from tfopt.core.language.mistakes import RecipePath
from tfopt.core.recipe.catalog import Catalog
from tfopt.core.recipe.recipe import Recipe
from tfopt.errors import EnvironmentProblem

B = TypeVar("B")


class LazyClasses(Mapping[str, type[B]]):
    """The classes of a kind by recipe key, each imported when it is asked for: a recipe names a few of them.

    Raises:
        EnvironmentProblem: (on access) an entry point cannot be imported, or does not name one class of the kind.
    """

    def __init__(self, kind: Kind, base: type[B]) -> None:
        self._kind, self._base = kind, base
        self._entries = find(kind, described=())
        self._classes: dict[str, type[B]] = {}

    def __getitem__(self, name: str) -> type[B]:
        if name not in self._classes:
            self._classes[name] = class_of(self._entries[name], self._kind, self._base)
        return self._classes[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def stage_classes() -> Mapping[str, type[Stage]]:
    """Every stage by its recipe key."""
    return LazyClasses("stages", Stage)


def export_classes() -> Mapping[str, type[Export]]:
    """Every export by its recipe key."""
    return LazyClasses("exports", Export)


def catalog() -> Catalog:
    """The stages and exports that a recipe may name here."""
    return Catalog(stage_classes(), export_classes())


def class_of(entry: Entry, kind: Kind, base: type[B]) -> type[B]:
    """Imports the class of a stage, export or criterion and sets its recipe key as `kind`.

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
    cls.kind = entry.name  # type: ignore[attr-defined]  # stages, exports and criteria have it
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
    named = [source for source in (recipe.data.source, recipe.model.source) if is_function(source)]
    own = [name for _, name in own_code_in(recipe)]
    return list(dict.fromkeys([*named, *(recipe.model.objects or ()), *own]))


def own_code_in(recipe: Recipe) -> Iterator[tuple[RecipePath, str]]:
    """Losses, metrics, callbacks and functions of data and exports that are the user's own, with their paths in the
    recipe."""
    yield from ((("data", *path), name) for path, name in recipe.data.own_code())
    yield from ((("compile", *path), part.name) for path, part in recipe.compile.references())
    for index, stage in enumerate(recipe.stages):
        for position, callback in enumerate(getattr(stage, "callbacks", None) or ()):
            yield ("stages", index, stage.kind, "callbacks", position), callback.name
    for target in recipe.export:
        yield from ((("export", target.kind, *path), name) for path, name in target.own_code())
