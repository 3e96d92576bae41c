"""The JSON Schema of the whole recipe language, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic.json_schema import models_json_schema

from tfopt.core.language.block import Block
from tfopt.core.language.docstrings import documented_json_schema
from tfopt.core.language.quantities import Span
from tfopt.core.recipe.catalog import Catalog
from tfopt.core.recipe.recipe import Head

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAMED_PARTS = ("properties", "patternProperties")
_BUDGET = r"^[A-Za-z0-9][A-Za-z0-9_-]*\.[A-Za-z0-9_]+$"


def recipe_schema(catalog: Catalog) -> dict[str, Any]:
    """The recipe language as JSON Schema (draft 2020-12).

    It contains keys, types, ranges and choices; what depends on several keys is checked by `tfopt validate` alone.

    Args:
        catalog: stages and exports that may be named.
    """
    classes: list[type[Block]] = [Head, *catalog.stages.values(), *catalog.exports.values()]
    wanted: list[tuple[type[Block], Literal["validation"]]] = [(cls, "validation") for cls in dict.fromkeys(classes)]
    references, generated = models_json_schema(
        wanted, ref_template="#/$defs/{model}", schema_generator=documented_json_schema()
    )
    definitions: dict[str, Any] = {name: _tidied(part) for name, part in generated["$defs"].items()}
    names = {cls: str(references[cls, "validation"]["$ref"]).rpartition("/")[2] for cls in classes}
    head = definitions.pop(names[Head])
    stages = {kind: _body(names[cls], definitions) for kind, cls in catalog.stages.items()}
    exports = {kind: _body(names[cls], definitions) for kind, cls in catalog.exports.items()}
    return {
        "$schema": _DIALECT,
        "title": "tfopt recipe",
        "description": "One recipe carries a Keras model to a small, fast and proven TFLite file.",
        "type": "object",
        "properties": {**head["properties"], **_beside_head(stages, exports)},
        "additionalProperties": False,
        "anyOf": [
            {"required": ["extends"]},
            {"required": [*head["required"], "stages"]},
            {"required": [*head["required"], "export"]},
        ],
        "$defs": definitions,
    }


def _beside_head(stages: Mapping[str, Any], exports: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "extends": {
            "type": "string",
            "description": "Another recipe, relative to this one, of which this one is a change.",
        },
        "stages": {
            "description": "The chain, in order. With `extends`, also a mapping from stage names to changes.",
            "oneOf": [
                {"type": "array", "items": {"oneOf": [_keyed(kind, body) for kind, body in stages.items()]}},
                {"type": "object", "additionalProperties": {"type": "object"}},
                {"type": "null"},
            ],
        },
        "export": {
            "description": "The files to write.",
            "type": ["object", "null"],
            "properties": dict(exports),
            "additionalProperties": False,
        },
        "budgets": {
            "description": "Limits on what comes out, by file and measure, such as `int8.bytes: 60 kB`.",
            "type": ["object", "null"],
            "patternProperties": {_BUDGET: {"type": ["string", "number"]}},
            "additionalProperties": False,
        },
    }


def _keyed(kind: str, body: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "description": body["description"],
        "properties": {kind: body},
        "required": [kind],
        "additionalProperties": False,
    }


def _body(name: str, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """A reference to the body of a stage or an export; no body means all defaults."""
    definition = definitions[name]
    reference = {"$ref": f"#/$defs/{name}"}
    optional = not definition.get("required")
    content: dict[str, Any] = {"anyOf": [reference, {"type": "null"}]} if optional else reference
    return {**content, "description": definition.get("description", "")}


def _tidied(schema: object) -> Any:
    """Pydantic's schema with the language's own spelling of defaults, and `kind` required where it decides."""
    if isinstance(schema, list):
        return [_tidied(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {
        key: {name: _tidied(part) for name, part in value.items()} if key in _NAMED_PARTS else _tidied(value)
        for key, value in schema.items()
        if key not in ("title", "discriminator")
    }
    if isinstance(schema.get("default"), dict) and set(schema["default"]) == {"amount", "unit"}:
        tidy["default"] = str(Span(**schema["default"]))
    if "const" in tidy.get("properties", {}).get("kind", {}):
        tidy["required"] = list(dict.fromkeys(["kind", *tidy.get("required", [])]))
    return tidy
