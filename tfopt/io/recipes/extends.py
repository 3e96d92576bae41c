"""`extends: other.yaml`: a recipe as a change of another.

Mappings are merged key by key; anything else of the child replaces the base's value. Four rules in addition:

- `stages` as a list replaces the base's list; as a mapping it changes stages by name:
  `stages: {prune: {epochs: 3}}`.
- A mapping with a different `kind` (or, in `compile`, a different `name`) replaces the base's: the keys of one schedule
  or optimizer have no meaning for a different one.
- With a different `source`, the `args` of the base's source are dropped.
- Paths in a recipe are relative to the file that contains them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tfopt.core.language.suggest import closest
from tfopt.core.language.wording import quote
from tfopt.core.recipe.reader import kind_of_entry, stage_names
from tfopt.errors import Problem, RecipeError
from tfopt.io.recipes.paths import absolute_paths
from tfopt.io.recipes.yaml import Node, parse, read_text

Path_ = tuple[str | int, ...]


def read_chain(path: Path) -> Node:
    """A recipe file with everything that it extends.

    Raises:
        RecipeError: a file is missing, unreadable, no mapping, or extends itself.
    """
    return _read(path, ())


def _read(path: Path, children: tuple[Path, ...]) -> Node:
    node = _with_absolute_paths(_mapping(path), path.parent)
    extends = node.value.get("extends")
    if extends is None:
        return node
    if not isinstance(extends.value, str) or not extends.value:
        raise _error(extends, f"extends must name another recipe file. Got {quote(extends.plain())}.", "wrong_type")
    base = path.parent / extends.value
    chain = (*children, path)
    if base.resolve() in [child.resolve() for child in chain]:
        circle = " -> ".join(str(child) for child in (*chain, base))
        raise _error(extends, f"extends leads back to where it began: {circle}.", "circular_reference")
    if not base.is_file():
        raise _error(extends, f"extends names {extends.value!r}, but there is no file {base}.", "file_not_found")
    own = {key: child for key, child in node.value.items() if key != "extends"}
    return _merged(_read(base, chain), replace(node, value=own), ())


def _mapping(path: Path) -> Node:
    node = parse(read_text(path), str(path))
    if node is None:
        raise RecipeError(
            [Problem((), f"{path} is empty. `tfopt init` writes a recipe to begin with.", code="empty_recipe")]
        )
    if not isinstance(node.value, dict):
        raise _error(node, f"a recipe must be a mapping (keys with values). Got {quote(node.plain())}.", "wrong_type")
    return node


def _error(node: Node, message: str, code: str) -> RecipeError:
    return RecipeError([Problem((), message, where=node.where, code=code)])


def _with_absolute_paths(node: Node, folder: Path) -> Node:
    for path, value in absolute_paths(node.plain(), folder):
        node = node.with_value(path, value)
    return node


def _merged(base: Node, child: Node, path: Path_) -> Node:
    if path == ("stages",) and isinstance(base.value, list) and isinstance(child.value, dict):
        return _stages_changed(base, child)
    if path[:1] == ("compile",) and isinstance(base.value, str) and isinstance(child.value, dict):
        base = replace(base, value={"name": base})
    if not isinstance(base.value, dict) or not isinstance(child.value, dict) or _is_another(base, child, path):
        return child
    value = dict(base.value)
    if path in (("data",), ("model",)) and _differ(base, child, "source"):
        value.pop("args", None)
    for key, node in child.value.items():
        value[key] = _merged(value[key], node, (*path, key)) if key in value else node
    return replace(child, value=value)


def _is_another(base: Node, child: Node, path: Path_) -> bool:
    return _differ(base, child, "kind") or (path[:1] == ("compile",) and _differ(base, child, "name"))


def _differ(base: Node, child: Node, key: str) -> bool:
    return key in base.value and key in child.value and base.value[key].plain() != child.value[key].plain()


def _stages_changed(base: Node, child: Node) -> Node:
    entries: list[Node] = list(base.value)
    plain: list[object] = base.plain()
    names = stage_names(plain)
    problems: list[Problem] = []
    for name, change in child.value.items():
        if name not in names:
            guess = closest(str(name), names).strip() or f"Its stages: {', '.join(names)}."
            message = f"stages changes {str(name)!r}, but the base has no such stage."
            problems.append(
                Problem(("stages", str(name)), message, guess, on_key=True, where=change.key, code="unknown_stage_name")
            )
            continue
        index = names.index(name)
        kind = kind_of_entry(plain[index])
        body = entries[index].value[kind]
        # A stage without a body (`- magic:`) has all defaults, which a change can be merged into.
        body = replace(body, value={}) if body.value is None else body
        entries[index] = replace(entries[index], value={kind: _merged(body, change, ("stages", index, str(kind)))})
    if problems:
        raise RecipeError(problems)
    return replace(base, value=entries)
