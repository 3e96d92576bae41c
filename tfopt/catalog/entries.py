"""What can be named in a recipe: one file per stage, export, data set, model, criterion; entry points of packages.

Files are listed and read, not imported: `tfopt ls` and `tfopt validate` load neither TensorFlow nor foreign code.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Literal, get_args

from tfopt.catalog.signatures import Described, Signature, describe
from tfopt.errors import EnvironmentProblem

Kind = Literal["stages", "exports", "datasets", "models", "criteria"]

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
    "criteria": _Room("tfopt.backend.pruning.criteria"),
    "models": _Room("tfopt.backend.models.zoo", "build", ("input_shape", "num_outputs", "tokenizer")),
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
        signature: arguments that a recipe can give; None where foreign code would have to be imported.
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


def find(kind: Kind, described: Collection[str] | None = None) -> dict[str, Entry]:
    """Everything of a kind that a recipe can name, by name, without importing it.

    Args:
        kind: what they are.
        described: names whose summary and arguments are read off their files; all by default.

    Raises:
        EnvironmentProblem: two packages bring the same name.
    """
    return joined(built_in(kind, described=described), plugins(kind), kind)


def built_in(kind: Kind, folder: Path | None = None, described: Collection[str] | None = None) -> dict[str, Entry]:
    """The entries that are files: every one except those that begin with `_`.

    Args:
        kind: what they are.
        folder: where they are, if not in tfopt itself.
        described: names whose summary and arguments are read off their files; all by default.
    """
    room = _ROOMS[kind]
    found = {}
    place = folder or room.folder
    for file in sorted(place.iterdir()) if place.is_dir() else ():
        source = file / "__init__.py" if file.is_dir() else file
        if file.name.startswith(("_", ".")) or source.suffix != ".py" or not source.is_file():
            continue
        name = file.stem
        wanted = described is None or name in described
        reader = _described if folder is None else describe
        read = reader(source, room.function, room.given) if wanted else Described("", None)
        found[name] = Entry(name, read.summary, f"{room.package}.{name}", None, "tfopt", read.signature)
    return found


@cache
def _described(file: Path, function: str | None, given: tuple[str, ...]) -> Described:
    """What a file of tfopt contains; such files do not change while a process lives."""
    return describe(file, function, given)


def read_built_in() -> None:
    """Reads every built-in signature, so that none has to be parsed later while TensorFlow works (14 ms)."""
    for kind in get_args(Kind):
        built_in(kind)


def entry_points(group: str) -> metadata.EntryPoints:
    """The entry points of a group `tfopt.*`; the metadata of installed packages are read once per process."""
    return metadata.EntryPoints(point for point in _own_entry_points() if point.group == group)


@cache
def _own_entry_points() -> tuple[metadata.EntryPoint, ...]:
    """The entry points of all groups `tfopt.*`; `metadata.entry_points()` would parse those of every package."""
    found: dict[str, tuple[metadata.EntryPoint, ...]] = {}
    for distribution in metadata.distributions():
        if "[tfopt." in (distribution.read_text("entry_points.txt") or ""):
            found.setdefault(distribution.name, tuple(distribution.entry_points))  # the first on the path is imported
    return tuple(point for points in found.values() for point in points)


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
        for point in entry_points(f"tfopt.{kind}")
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
