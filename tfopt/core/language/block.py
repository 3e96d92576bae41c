"""The base of everything that is written in a recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, SerializerFunctionWrapHandler, model_serializer
from pydantic_core import CoreSchema

from tfopt.core.language.docstrings import documented_json_schema
from tfopt.errors import RecipePath

_NOT_SCALARS_OF_A_RECIPE = frozenset({"keys_schema", "serialization", "metadata", "config"})


def _take_scalars_as_written(schema: object, block: type[Block]) -> None:
    # Pydantic's own strict mode would also refuse a list where a tuple is declared, and a mapping for a block.
    if isinstance(schema, dict):
        kind = schema.get("type")
        if kind == "model" and schema["cls"] is not block and issubclass(schema["cls"], Block):
            return  # a block inside this one, whose own schema has been through this
        if kind in ("int", "float", "bool"):
            schema["strict"] = True
        for key, part in schema.items():
            if key not in _NOT_SCALARS_OF_A_RECIPE and isinstance(part, (dict, list, tuple)):
                _take_scalars_as_written(part, block)
    elif isinstance(schema, (list, tuple)):
        for part in schema:
            _take_scalars_as_written(part, block)


class Block(BaseModel):
    """A frozen part of a recipe: unknown keys are errors, every key is documented by the string below it.

    Numbers are taken as written: neither `true` nor `"15"` is one.

    A validator is built when a block is first read: building all would slow down the light verbs. A default that
    is a block is written with `model_construct`, which builds none; a block that several contain is a `SharedBlock`.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        allow_inf_nan=False,
        defer_build=True,
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _take_scalars_as_written(schema, cls)
        return schema

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """The JSON Schema, with the docstring below each key as its description; arguments are pydantic's."""
        return super().model_json_schema(*arguments, **{"schema_generator": documented_json_schema(), **options})

    @model_serializer(mode="wrap", return_type=dict[str, Any])
    def _without_what_was_left_out(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """A key that may be absent, and is, is not written as null."""
        fields = type(self).model_fields
        written: dict[str, object] = handler(self)
        return {
            key: value
            for key, value in written.items()
            if value is not None or key not in fields or fields[key].default is not None
        }


class SharedBlock(Block):
    """A block that several others contain: its validator is built at once, and becomes a part of theirs."""

    model_config = ConfigDict(defer_build=False)


def blocks_in(value: object, path: RecipePath = ()) -> Iterator[tuple[RecipePath, Block]]:
    """Every block in `value`, itself included, with its path."""
    if isinstance(value, Block):
        yield path, value
        for key in type(value).model_fields:
            yield from blocks_in(getattr(value, key), (*path, key))
    elif isinstance(value, (tuple, list)):
        for index, part in enumerate(value):
            yield from blocks_in(part, (*path, index))
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from blocks_in(part, (*path, key))


class KeyMistake(ValueError):
    """Raised by a block's validator when one of its keys is to blame, so that the message points there.

    Args:
        path: keys below the block.
        message: continues the name of the block (`has no argument ...`), or is a whole sentence.
        on_key: the key itself is wrong, not its value.
        code: what kind of mistake it is, in snake_case.
    """

    def __init__(self, path: RecipePath, message: str, on_key: bool = False, *, code: str) -> None:
        super().__init__(message)
        self.path = path
        self.on_key = on_key
        self.code = code
