"""YAML 1.2 as plain values, each with its location in the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as YamlNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from tfopt.core.language.plain import own_key
from tfopt.errors import Problem, RecipeError, Where

_TAG = "tag:yaml.org,2002:"
_ODD_BEGINNING = re.compile(r"[^\w./~%(+-]")
_SCALARS = frozenset({"int", "float", "bool", "null"})
_TEXTS = frozenset({"str", "timestamp", "merge", "value"})
"""Texts of the recipe language; a date, or the key `<<`, has no meaning of its own."""


@dataclass(frozen=True)
class Node:
    """A value of a YAML file.

    Args:
        value: a mapping or list of nodes, or a plain scalar.
        where: its location.
        key: the location of its key, where it has one.
    """

    value: Any
    where: Where
    key: Where | None = None

    def plain(self) -> Any:
        """The value as plain dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def place_of(self, path: tuple[str | int, ...], on_key: bool = False) -> Where:
        """Where `path` is; for one that is not in the file, the key of the nearest that is."""
        node = self
        for item in path:
            below = node._child(item)
            if below is None:
                return node.key or node.where
            node = below
        return node.key if on_key and node.key else node.where

    def with_value(self, path: tuple[str | int, ...], value: object) -> Node:
        """The same tree with another scalar at `path`, which must exist."""
        if not path:
            return replace(self, value=value)
        first, rest = path[0], path[1:]
        changed = self.value.copy()
        changed[first] = changed[first].with_value(rest, value)
        return replace(self, value=changed)

    def _child(self, item: str | int) -> Node | None:
        if isinstance(self.value, dict):
            keys = own_key(self.value, item)
            below: Node | None = self.value[keys[0]] if keys else None
            return below
        if isinstance(self.value, list) and isinstance(item, int) and item < len(self.value):
            found: Node = self.value[item]
            return found
        return None


def read_text(path: Path) -> str:
    """The text of a recipe file.

    Raises:
        RecipeError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        hint = next((f"Did you mean {str(other)!r}?" for other in _similar(path)), "")
        raise RecipeError([Problem((), f"{path}: there is no such file.", hint, code="recipe_not_found")]) from None
    except IsADirectoryError:
        raise RecipeError(
            [Problem((), f"{path} is a folder. Name a recipe file in it.", code="recipe_unreadable")]
        ) from None
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 text: byte {error.start + 1} is 0x{error.object[error.start]:02x}."
        raise RecipeError([Problem((), message, "Save it as UTF-8.", code="recipe_unreadable")]) from None
    except OSError as error:
        raise RecipeError(
            [Problem((), f"{path} cannot be read: {error.strerror}.", code="recipe_unreadable")]
        ) from error


def _similar(path: Path) -> list[Path]:
    return [other for suffix in (".yaml", ".yml") if (other := path.with_suffix(suffix)) != path and other.is_file()]


def parse(text: str, file: str) -> Node | None:
    """Reads YAML.

    Args:
        text: the content of the file.
        file: its name, for messages.

    Returns:
        The value with its locations, or None when there is none.

    Raises:
        RecipeError: it is not YAML, or uses what the recipe language does not have (duplicate keys, tags).
    """
    return _Reader(text, file).read()


def parse_value(text: str) -> object:
    """A single value as in a recipe: `1e-3` is a number, `true` a truth value, `[1, 2]` a list, `70%` a text.

    Raises:
        RecipeError: it is not YAML.
    """
    node = parse(text, "value")
    return None if node is None else node.plain()


def read_head(path: Path) -> Mapping[str, object]:
    """The plain values of a recipe file, unchecked; empty where it holds no mapping.

    Raises:
        RecipeError: it cannot be read, or is not YAML.
    """
    return _mapping(parse(read_text(path), str(path)))


def read_top_key(path: Path, key: str) -> object:
    """The plain value of one key at the top of a recipe file; None where it is not there.

    Where the file is in block style, only the lines of that key are parsed: `tfopt ls` reads every recipe of a folder.

    Raises:
        RecipeError: the file cannot be read, or is not YAML.
    """
    lines = read_text(path).splitlines()
    begin = next((index for index, line in enumerate(lines) if re.match(rf"{re.escape(key)}:(\s|$)", line)), None)
    if begin is None:
        return read_head(path).get(key) if any(key in line for line in lines) else None
    end = next((index for index in range(begin + 1, len(lines)) if re.match(r"[^\s#]", lines[index])), len(lines))
    try:
        return _mapping(parse("\n".join(lines[begin:end]), str(path))).get(key)
    except RecipeError:  # an alias of an anchor above, or a mistake whose line number must be right
        return read_head(path).get(key)


def _mapping(node: Node | None) -> Mapping[str, object]:
    value = node.plain() if node else {}
    return value if isinstance(value, dict) else {}


def dump(document: Mapping[str, object]) -> str:
    """YAML text of plain values: block style, lists of scalars on one line."""
    yaml = YAML()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(_styled(document), stream)
    return stream.getvalue()


def _styled(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _styled(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        sequence = CommentedSeq(_styled(part) for part in value)
        if not any(isinstance(part, (Mapping, list, tuple)) for part in value):
            sequence.fa.set_flow_style()
        return sequence
    # ruamel writes `?0` bare, and reads it back as a key.
    return DoubleQuotedScalarString(value) if isinstance(value, str) and _ODD_BEGINNING.match(value) else value


class _Reader:
    """Turns one text into nodes; `YAML.compose` keeps the locations that loading drops."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.text = text
        self.lines = text.splitlines()
        self.yaml = YAML(typ="safe", pure=True)
        self.open: set[int] = set()

    def read(self) -> Node | None:
        if self.text.lstrip().startswith("%YAML") and not self.text.lstrip().startswith("%YAML 1.2"):
            raise self._error(0, 0, "a recipe is YAML 1.2; remove the %YAML line.")
        try:
            root = self.yaml.compose(self.text)
        except MarkedYAMLError as error:
            raise self._not_yaml(error) from None
        except ReaderError as error:
            before = self.text[: error.position]
            line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
            raise self._error(line, column, f"the character {chr(error.character)!r} cannot stand in YAML.") from None
        except YAMLError as error:
            raise self._error(0, 0, f"this is not YAML: {error}.") from None
        return None if root is None else self._node(root)

    def _where(self, line: int, column: int) -> Where:
        text = self.lines[line] if line < len(self.lines) else ""
        return Where(self.file, line + 1, column + 1, text)

    def _error(self, line: int, column: int, message: str) -> RecipeError:
        return RecipeError([Problem((), message, where=self._where(line, column), code="invalid_yaml")])

    def _not_yaml(self, error: MarkedYAMLError) -> RecipeError:
        mark: StringMark = error.problem_mark
        line, column = mark.line, mark.column
        tab = self.lines[line].find("\t") if line < len(self.lines) else -1
        if tab >= 0 and not self.lines[line][:tab].strip():
            return self._error(line, tab, "a tab indents this line. YAML is indented with spaces.")
        begun = error.context_mark
        since = f" ({error.context} that begins at {begun.line + 1}:{begun.column + 1})" if begun else ""
        hint = " Put a text that contains ': ' in quotes." if "mapping values" in error.problem else ""
        return self._error(line, column, f"this is not YAML: {error.problem}{since}.{hint}")

    def _node(self, node: YamlNode, key: Where | None = None) -> Node:
        where = self._where(node.start_mark.line, node.start_mark.column)
        tag = str(node.tag).removeprefix(_TAG)
        if id(node) in self.open:
            raise self._error(where.line - 1, where.column - 1, "this value contains itself.")
        self.open.add(id(node))
        value: object
        if isinstance(node, MappingNode) and tag == "map":
            value = self._mapping(node)
        elif isinstance(node, SequenceNode) and tag == "seq":
            value = [self._node(part) for part in node.value]
        elif isinstance(node, ScalarNode) and tag in _TEXTS:
            value = node.value
        elif isinstance(node, ScalarNode) and tag in _SCALARS:
            value = self.yaml.constructor.construct_object(node)
        else:
            raise self._error(where.line - 1, where.column - 1, f"a recipe has no tags. Got {node.tag}. Remove it.")
        self.open.discard(id(node))
        return Node(value, where, key)

    def _mapping(self, node: MappingNode) -> dict[object, Node]:
        found: dict[object, Node] = {}
        for key_node, value_node in node.value:
            key = self._node(key_node)
            if not isinstance(key_node, ScalarNode):
                raise self._error(
                    key.where.line - 1, key.where.column - 1, "a key must be a text, not a list or mapping."
                )
            if key.value in found:
                first = found[key.value].key or key.where
                message = f"the key {str(key.value)!r} is here twice: first at {first.line}:{first.column}. Remove one."
                raise self._error(key.where.line - 1, key.where.column - 1, message)
            found[key.value] = self._node(value_node, key.where)
        return found
