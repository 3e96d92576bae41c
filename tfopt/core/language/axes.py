"""Axes of a sweep: which values a path of the recipe takes.

The values of a path are a list, or a range as text: `0.5..0.9/5` is five values from 0.5 to 0.9, both included. A
range keeps the unit of its ends: `50%..90%/5`, `2 epochs..6 epochs/3`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TypeGuard

Alternative = Mapping[str, object]
"""One choice of an axis: a value for each of its paths."""

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"^\s*({_NUMBER})\s*([A-Za-z%]*)\s*\.\.\s*({_NUMBER})\s*([A-Za-z%]*)\s*/\s*(\d+)\s*$")
_SAY_WHICH = ("kind", "name", "source")
"""Keys whose value needs no name of its key."""
_LONGEST = 40


def is_range(value: object) -> TypeGuard[str]:
    """Whether a value is written as a range."""
    return isinstance(value, str) and _RANGE.match(value) is not None


def values_of(value: object) -> list[object]:
    """The values of one path.

    Args:
        value: a list, or a range as text.

    Raises:
        ValueError: neither, or nothing in it; the text continues the name of the path.
    """
    if is_range(value):
        return _spread(value)
    if not isinstance(value, (list, tuple)):
        raise ValueError("must be a list of values such as [50%, 80%], or a range such as 50%..90%/5")
    if not value:
        raise ValueError("must have at least one value")
    return [part for entry in value for part in (_spread(entry) if is_range(entry) else [entry])]


def alternatives(axis: Mapping[str, object]) -> list[Alternative]:
    """The choices of one axis; several paths go together, first with first.

    Args:
        axis: values by path, as `values_of` takes them.

    Raises:
        ValueError: paths that go together have different numbers of values.
    """
    columns = {path: values_of(value) for path, value in axis.items()}
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        counts = ", ".join(f"{path} has {len(values)}" for path, values in columns.items())
        raise ValueError(f"go together and must have the same number of values: {counts}")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _spread(text: str) -> list[object]:
    match = _RANGE.match(text)
    if match is None:
        raise ValueError(f"must be a range such as 50%..90%/5. Got {text!r}")
    first, first_unit, last, last_unit, count = match[1], match[2], match[3], match[4], int(match[5])
    if first_unit and first_unit != last_unit:
        raise ValueError(f"must have one unit at both ends of a range. Got {text!r}")
    low, high = Decimal(first), Decimal(last)
    if count < 2 or low == high:
        raise ValueError(f"must have two ends and at least two values. Got {text!r}")
    numbers = [low + (high - low) * index / (count - 1) for index in range(count)]
    if last_unit:
        blank = "" if last_unit == "%" else " "
        return [f"{_plain(number)}{blank}{last_unit}" for number in numbers]
    whole = all(number == number.to_integral_value() for number in numbers) and "." not in first + last
    return [int(number) if whole else float(number) for number in numbers]


def _plain(number: Decimal) -> str:
    text = f"{round(number, 10):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def names_of(choices: Sequence[Alternative]) -> list[str]:
    """A short name for each choice, made of what differs between them; no name comes twice.

    Args:
        choices: values by path. A path that has the same value everywhere is not named.
    """
    missing = object()
    paths = list(dict.fromkeys(path for choice in choices for path in choice))
    varied = [path for path in paths if len({_text(choice.get(path, missing)) for choice in choices}) > 1]
    keys = _short_keys(varied)
    labels = {path: _labels([choice.get(path) for choice in choices]) for path in varied}
    varied.sort(key=lambda path: not _says_which(path))
    names = []
    for index, choice in enumerate(choices):
        parts = [_named(path, keys[path], choice[path], labels[path][index]) for path in varied if path in choice]
        names.append(" ".join(parts))
    return _numbered(names)


def _named(path: str, key: str, value: object, label: str) -> str:
    alone = path.rpartition(".")[2] in _SAY_WHICH or (
        isinstance(value, Mapping) and not set(_SAY_WHICH).isdisjoint(value)
    )
    return label if alone else f"{key}={label}"


def _says_which(path: str) -> bool:
    return path.rpartition(".")[2] in _SAY_WHICH


def _short_keys(paths: Sequence[str]) -> dict[str, str]:
    """The shortest endings that distinguish the paths."""
    keys = {}
    for path in paths:
        parts = path.split(".")
        endings = (".".join(parts[-length:]) for length in range(1, len(parts) + 1))
        others = [other for other in paths if other != path]
        keys[path] = next((end for end in endings if not any(f".{o}".endswith(f".{end}") for o in others)), path)
    return keys


def _labels(values: Sequence[object]) -> list[str]:
    """Each value as a short text; mappings by their kind, and by what else differs."""
    blocks = [value for value in values if isinstance(value, Mapping)]
    kinds = [_kind(block) for block in blocks]
    labels = []
    for value in values:
        if not isinstance(value, Mapping):
            labels.append(_chain(value) or _short(_text(value)))
            continue
        alike = (
            [block for block in blocks if _kind(block) == _kind(value)] if kinds.count(_kind(value)) > 1 else [value]
        )
        differs = [key for key in value if any(_text(other.get(key)) != _text(value[key]) for other in alike)]
        inner = ", ".join(f"{key}={_text(value[key])}" for key in differs)
        kind = _kind(value)
        labels.append(_short(f"{kind}({inner})" if kind and inner else kind or inner or _text(value)))
    return labels


def _chain(value: object) -> str:
    """A list of stages by their kinds; empty for any other value."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(e, Mapping) and len(e) == 1 for e in value):
        return ""
    return "+".join(str(next(iter(entry))) for entry in value)


def _kind(block: Mapping[str, object]) -> str:
    return next((str(block[key]) for key in _SAY_WHICH if key in block), "")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (Mapping, list, tuple, bool)) or value is None:
        return json.dumps(value, separators=(",", ":"))
    return str(value)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _numbered(names: Iterable[str]) -> list[str]:
    """The names, with a number where one comes again."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return made
