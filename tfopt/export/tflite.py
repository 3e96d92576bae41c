"""`.tflite` files for LiteRT on phones and microcontrollers: named variants, each audited and run."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, field_validator, model_serializer, model_validator

from tfopt.core.export import Export, ExportContext
from tfopt.core.records import ExportRecord
from tfopt.core.tflite import Variant


class Tflite(Export):
    """Writes `<variant>.tflite` for every variant named under `tflite:`."""

    variants: Annotated[dict[str, Variant], Field(min_length=1)]
    """The files by name."""

    @model_validator(mode="before")
    @classmethod
    def _names_are_keys(cls, value: Any) -> Any:
        return {"variants": value} if isinstance(value, dict) else value

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return {name: variant.model_dump(mode="json") for name, variant in self.variants.items()}

    @field_validator("variants")
    @classmethod
    def _usable_as_file_names(cls, value: dict[str, Variant]) -> dict[str, Variant]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
                raise ValueError(f"variant {name!r} becomes a file name: use letters, digits, '-' and '_'")
        return value

    def names(self) -> tuple[str, ...]:
        return tuple(self.variants)

    def write(self, model: Any, context: ExportContext) -> list[ExportRecord]:
        from tfopt.backend import tflite

        return tflite.export(model, dict(self.variants), context)
