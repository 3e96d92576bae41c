"""What can be named in a recipe: one file per stage, export, dataset and model, and the entry points of other packages.

Files are listed and read, not imported: `tfopt ls` and `tfopt validate` load neither TensorFlow nor foreign code.
Stages and exports are classes that a recipe is checked against; those are imported, and do not import TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from inspect import isclass
from pathlib import Path
from types import ModuleType
from typing import Literal, TypeVar

from tfopt.catalog.references import is_function
from tfopt.catalog.signatures import Signature, describe
from tfopt.core.contracts.export import Export
from tfopt.core.contracts.stage import Stage
from tfopt.core.language.block import Block
from tfopt.core.recipe.catalog import Catalog
from tfopt.core.recipe.recipe import Recipe
from tfopt.errors import EnvironmentProblem

Kind = Literal["stages", "exports", "datasets", "models"]
B = TypeVar("B", bound=Block)

_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class _Room:
    """Where the built-in entries of a kind are.

    Args:
        package: its Python name.
        function: the function of a file that a recipe's `args` go to; None where the file defines a class.
        given: arguments of that function that come from the data.
    """

    package: str
    function: str | None = None
    given: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return _ROOT.joinpath(*self.package.split(".")[1:])


_ROOMS: Mapping[Kind, _Room] = {
    "stages": _Room("tfopt.stages"),
    "exports": _Room("tfopt.export"),
    "datasets": _Room("tfopt.backend.data.datasets", "load"),
    "models": _Room("tfopt.backend.models.zoo", "build", ("input_shape", "num_outputs")),
}


@dataclass(frozen=True)
class Entry:
    """Something that a recipe can name.

    Args:
        name: how a recipe names it.
        summary: what it is, in a line.
        module: where it is defined.
        attribute: what of that module; None for the module's only class, or its `load` or `build`.
        origin: `tfopt`, or the distribution that brings it.
        signature: arguments that a recipe can give; None where only importing foreign code would tell.
    """

    name: str
    summary: str
    module: str
    attribute: str | None
    origin: str
    signature: Signature | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the arguments, as far as known."""
        return self.signature.names if self.signature else ()


def find(kind: Kind) -> dict[str, Entry]:
    """Everything of a kind that a recipe can name, by name, without importing it.

    Raises:
        EnvironmentProblem: two packages bring the same name.
    """
    return joined(built_in(kind), plugins(kind), kind)


def built_in(kind: Kind, folder: Path | None = None) -> dict[str, Entry]:
    """The entries that are files: every one but those that begin with `_`.

    Args:
        kind: what they are.
        folder: where they lie, if not in tfopt itself.
    """
    room = _ROOMS[kind]
    found = {}
    for file in sorted((folder or room.folder).iterdir()):
        source = file / "__init__.py" if file.is_dir() else file
        if file.name.startswith(("_", ".")) or source.suffix != ".py" or not source.is_file():
            continue
        name = file.stem
        said = describe(source, room.function, room.given)
        found[name] = Entry(name, said.summary, f"{room.package}.{name}", None, "tfopt", said.signature)
    return found


def plugins(kind: Kind) -> list[Entry]:
    """The entries that other packages bring through entry points."""
    return [
        Entry(
            name=point.name,
            summary=point.dist.metadata["Summary"] if point.dist and "Summary" in point.dist.metadata else "",
            module=point.module,
            attribute=point.attr or None,
            origin=point.dist.name if point.dist else point.value,
        )
        for point in entry_points(group=f"tfopt.{kind}")
    ]


def joined(own: Mapping[str, Entry], foreign: list[Entry], kind: Kind) -> dict[str, Entry]:
    """Built-in and foreign entries in one mapping.

    Raises:
        EnvironmentProblem: a name is taken.
    """
    found = dict(own)
    for entry in foreign:
        if entry.name in found:
            first = found[entry.name]
            raise EnvironmentProblem(
                f"The entry point {entry.name!r} of group tfopt.{kind} in the package {entry.origin} has the name of "
                f"one in {first.origin}.",
                "Uninstall one of the two packages.",
                code="broken_plugin",
            )
        found[entry.name] = entry
    return found


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


__all__ = [
    "Entry",
    "Kind",
    "built_in",
    "catalog",
    "class_of",
    "code_named_by",
    "export_classes",
    "find",
    "joined",
    "plugins",
    "stage_classes",
]
