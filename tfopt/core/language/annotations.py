"""Keys and blocks below a path of a recipe, read off the annotations of the blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from tfopt.core.language.block import Block


def blocks_at(annotation: object, path: Sequence[str | int]) -> list[type[Block]]:
    """The blocks that are allowed at `path` below a value of type `annotation`.

    Args:
        annotation: a block class, or any type made of blocks.
        path: keys and list positions. The tags that pydantic puts into its locations (`polynomial`,
            `tagged-union[...]`) are accepted too, and narrow the result.
    """
    found = _alternatives(annotation)
    for item in path:
        below = [part for kind in found for child in _children(kind, item) for part in _alternatives(child)]
        found = below or [kind for kind in found if _is_tagged(kind, item)] or found
    return [kind for kind in found if isinstance(kind, type) and issubclass(kind, Block)]


def keys_of(blocks: Iterable[type[Block]]) -> list[str]:
    """The keys of these blocks, each once, in order."""
    return list(dict.fromkeys(key for block in blocks for key in block.model_fields))


def kind_of(block: type[Block]) -> str | None:
    """The value of `kind` for this block; None where it has no such key."""
    field = block.model_fields.get("kind")
    if field is None or get_origin(field.annotation) is not Literal:
        return None
    return str(get_args(field.annotation)[0])


def _alternatives(annotation: object) -> list[object]:
    """The members of a union, Annotated taken off."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [part for member in get_args(annotation) for part in _alternatives(member)]
    return [annotation]


def _children(kind: object, item: str | int) -> list[object]:
    if isinstance(kind, type) and issubclass(kind, Block):
        field = kind.model_fields.get(str(item))
        return [field.annotation] if field is not None else []
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (tuple, list, Sequence) and isinstance(item, int):
        return [part for part in arguments if part is not Ellipsis]
    if origin in (dict, Mapping) and len(arguments) == 2:
        return [arguments[1]]
    return []


def _is_tagged(kind: object, item: str | int) -> bool:
    return isinstance(kind, type) and issubclass(kind, Block) and item in (kind_of(kind), kind.__name__)
