"""The base of all records."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from tfopt.core.language.docstrings import documented_json_schema


class Record(BaseModel):
    """Base of all records: frozen, and nothing unknown.

    Values that are not finite are strings in JSON, which has no such numbers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, ser_json_inf_nan="strings")

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """The JSON Schema, with the docstring below each key as its description; arguments are pydantic's."""
        return super().model_json_schema(*arguments, **{"schema_generator": documented_json_schema(), **options})
