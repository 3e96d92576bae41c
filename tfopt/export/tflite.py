"""`.tflite` files for LiteRT on phones and microcontrollers: named variants, each audited and run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, field_validator, model_serializer, model_validator
from pydantic_core import CoreSchema

from tfopt.core.config.tflite_variant import Variant
from tfopt.core.contracts.export import Export, ExportContext
from tfopt.core.language.block import KeyMistake

if TYPE_CHECKING:
    from tfopt.core.records.report import ExportRecord

_NAME = "[A-Za-z0-9][A-Za-z0-9_-]*"


class Tflite(Export):
    """Writes `<variant>.tflite` for every variant named under `tflite:`."""

    variants: Annotated[dict[str, Variant], Field(min_length=1)]
    """The files by name."""

    @model_validator(mode="before")
    @classmethod
    def _names_are_keys(cls, value: Any) -> Any:
        # A variant without a body (`float32:`) is one with all defaults.
        return (
            {"variants": {k: v if v is not None else {} for k, v in value.items()}}
            if isinstance(value, dict)
            else value
        )

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return {name: variant.model_dump(mode="json") for name, variant in self.variants.items()}

    @field_validator("variants")
    @classmethod
    def _usable_as_file_names(cls, value: dict[str, Variant]) -> dict[str, Variant]:
        for name in value:
            if not re.fullmatch(_NAME, name):
                raise KeyMistake(
                    (name,), f"variant {name!r} becomes a file name: use letters, digits, '-' and '_'", True
                )
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        block = handler.resolve_ref_schema(handler(schema))
        variant = block["properties"]["variants"]["additionalProperties"]
        return {
            "description": block["description"],
            "type": "object",
            "additionalProperties": {"anyOf": [variant, {"type": "null"}]},
            "propertyNames": {"pattern": f"^{_NAME}$"},
            "minProperties": 1,
        }

    def names(self) -> tuple[str, ...]:
        return tuple(self.variants)

    def write(self, model: Any, context: ExportContext) -> list[ExportRecord]:
        from tfopt.backend.export import tflite

        return tflite.export(model, dict(self.variants), context)
