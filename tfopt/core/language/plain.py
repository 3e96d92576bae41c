"""Plain values: the dicts, lists, strings and numbers that a recipe is read from and written as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfopt.core.language.block import Block


def plain_copy(value: object) -> Any:
    """The value as dicts, lists and scalars of its own, with blocks written out."""
    if isinstance(value, Block):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {key: plain_copy(part) for key, part in value.items()}
    return [plain_copy(part) for part in value] if isinstance(value, (list, tuple)) else value


def own_key(mapping: Mapping[object, object], item: str | int) -> tuple[object, ...]:
    """The mapping's own spelling of a key, or nothing: paths have `"0"` or `"None"` where it may be 0 or null."""
    if item in mapping:
        return (item,)
    return tuple(key for key in mapping if str(key) == str(item))[:1]


def look_up(document: Any, path: Sequence[str | int]) -> Any:
    """The value at `path`, which must exist."""
    for item in path:
        document = document[own_key(document, item)[0] if isinstance(document, Mapping) else item]
    return document
