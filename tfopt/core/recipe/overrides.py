"""Changing values of a recipe by path: `stages.prune.schedule.final`.

A path is made of the recipe's own keys, with dots between them. A stage is addressed by its name
(`stages.prune_2.epochs`) or by its index (`stages.0.train.epochs`); the entries of other lists by their index, from 0.
What follows `budgets.` is one key. Two keys decide which others are allowed: with a different `kind`, the keys
that this kind does not have are dropped; with another `source`, the `args` of the old one are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfopt.core.language.annotations import blocks_at, kind_of
from tfopt.core.language.block import Block
from tfopt.core.language.plain import own_key, plain_copy
from tfopt.core.language.suggest import closest
from tfopt.core.language.wording import counted, quote
from tfopt.core.recipe.catalog import Catalog
from tfopt.core.recipe.reader import kind_of_entry, stage_names
from tfopt.errors import Problem

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Overridden:
    """A document after its overrides.

    Args:
        document: the new document.
        paths: the override that set each path of it.
        problems: overrides that lead nowhere.
    """

    document: dict[str, Any]
    paths: Mapping[Path, str]
    problems: tuple[Problem, ...]

    def override_of(self, path: Path) -> str | None:
        """The override to which `path` owes its value, if any."""
        return next((self.paths[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.paths), None)


class _NoSuchPath(ValueError):
    """The path of an override does not exist; the message states why."""


@dataclass(frozen=True)
class _Target:
    """Where an override leads.

    Args:
        document: what is changed.
        path: the location in it.
        text: the override, with as many parts or fewer: a stage's name replaces its index and kind.
    """

    document: dict[str, Any]
    path: Path
    text: str

    def spelt(self, length: int) -> str:
        """The first `length` items of the path as the user spells them."""
        if self.path[0] == "budgets":
            return ".".join(map(str, self.path[:length]))
        parts = self.text.split(".")
        return ".".join(parts[: length - (len(self.path) - len(parts))])


def apply_overrides(
    document: Mapping[str, object], overrides: Mapping[str, object], catalog: Catalog, head: type[Block]
) -> Overridden:
    """Sets values by path; the given document is left alone.

    Args:
        document: a recipe as plain values.
        overrides: new values by path, e.g. `{"stages.prune.schedule.final": "90%"}`.
        catalog: stages and exports that may be named.
        head: the block with everything else.
    """
    changed: dict[str, Any] = plain_copy(document)
    paths: dict[Path, str] = {}
    problems: list[Problem] = []
    for text in sorted(overrides, key=_outer_first):
        try:
            path = _path_of(text, changed)
            _set(_Target(changed, path, text), plain_copy(overrides[text]), _root_of(path, catalog, head))
        except _NoSuchPath as error:
            problems.append(Problem(tuple(text.split(".")), f"{text} cannot be set: {error}", code="invalid_override"))
        else:
            paths[path] = text
    return Overridden(changed, paths, tuple(problems))


def _outer_first(text: str) -> tuple[int, bool]:
    """Whole blocks before their parts, and `kind` and `source` before their sibling keys."""
    return text.count("."), not text.endswith((".kind", ".source"))


def _path_of(text: str, document: Mapping[str, object]) -> Path:
    """The path in the document that an override changes."""
    parts = text.split(".")
    if not all(parts):
        raise _NoSuchPath("the path has an empty part.")
    if parts[0] == "budgets" and len(parts) > 1:
        return ("budgets", ".".join(parts[1:]))
    if parts[0] != "stages" or len(parts) == 1:
        return tuple(parts)
    entries = document.get("stages")
    entries = entries if isinstance(entries, list) else []
    names = stage_names(entries)
    if parts[1].isdigit():
        index = int(parts[1])
        if index >= len(entries):
            raise _NoSuchPath(f"the recipe has {counted(len(entries), 'stage')}, counted from 0.")
        return ("stages", index, *parts[2:])
    if parts[1] not in names:
        guess = closest(parts[1], names) or f" Stages: {', '.join(names) or 'none'}."
        raise _NoSuchPath(f"no stage is named {parts[1]!r}.{guess}")
    index = names.index(parts[1])
    return ("stages", index, str(kind_of_entry(entries[index])), *parts[2:])


def _root_of(path: Path, catalog: Catalog, head: type[Block]) -> tuple[object, Path]:
    """The class in which `path` ends, and the path below it."""
    if path[0] == "stages":
        return (catalog.stages.get(str(path[2])), path[3:]) if len(path) > 2 else (None, ())
    if path[0] == "export":
        return (catalog.exports.get(str(path[1])), path[2:]) if len(path) > 1 else (None, ())
    return head, path


def _set(target: _Target, value: object, root: tuple[object, Path]) -> None:
    path = target.path
    holder: Any = target.document
    for index in range(len(path) - 1):
        holder = _descend(holder, target, index)
    key = _key_in(holder, target, len(path) - 1)
    if isinstance(holder, dict) and key == "kind" and holder.get("kind") != value:
        _keep_keys_of_kind(holder, value, root)
    if path in (("data", "source"), ("model", "source")) and holder.get("source") != value:
        holder.pop("args", None)
    holder[key] = value


def _descend(holder: Any, target: _Target, index: int) -> Any:
    """The value at `path[index]`, turned into something that has keys."""
    key = _key_in(holder, target, index)
    below = holder.get(key) if isinstance(holder, dict) else holder[key]
    if below is None:
        below = {}
    elif isinstance(below, str) and target.path[0] == "compile":
        below = {"name": below}
    elif not isinstance(below, (dict, list)):
        whole = target.spelt(index + 1)
        raise _NoSuchPath(f"{whole} is {quote(below)}, which has no keys. Set {whole} as a whole.")
    holder[key] = below
    return below


def _key_in(holder: Any, target: _Target, index: int) -> Any:
    """The holder's own spelling of `path[index]`: an index of a list, or a key that is a number."""
    item = target.path[index]
    if isinstance(holder, dict):
        return (*own_key(holder, item), item)[0]
    whole = target.spelt(index)
    if not str(item).isdigit():
        raise _NoSuchPath(f"{whole} is a list; name an entry by its index, from 0. Got {item!r}.")
    if int(item) >= len(holder):
        raise _NoSuchPath(f"{whole} has {counted(len(holder), 'entry', 'entries')}, counted from 0.")
    return int(item)


def _keep_keys_of_kind(holder: dict[str, object], kind: object, root: tuple[object, Path]) -> None:
    blocks = blocks_at(root[0], root[1][:-1]) if root[0] is not None else []
    allowed = next((block.model_fields for block in blocks if kind_of(block) == kind), None)
    if allowed is not None:
        for key in [key for key in holder if key not in allowed]:
            del holder[key]
