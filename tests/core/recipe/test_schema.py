"""The JSON Schema says what the language says, as far as a schema can."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.recipes import document, documents, known
from tfopt.core.recipe.recipe import build_recipe
from tfopt.core.recipe.schema import recipe_schema

CATALOG = known()
SCHEMA = recipe_schema(CATALOG)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def plain(document: Any) -> Any:
    """As an editor sees it: all keys are texts."""
    return json.loads(json.dumps(document))


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    json.dumps(SCHEMA)


def test_it_accepts_a_recipe_as_written_and_as_resolved() -> None:
    VALIDATOR.validate(plain(document()))
    VALIDATOR.validate(plain(build_recipe(document(), CATALOG).to_document()))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_it_accepts_every_good_recipe(written: dict[str, Any]) -> None:
    VALIDATOR.validate(plain(written))
    VALIDATOR.validate(plain(build_recipe(written, CATALOG).to_document()))


def test_it_accepts_a_change_of_another_recipe() -> None:
    VALIDATOR.validate({"extends": "base.yaml", "stages": {"prune": {"epochs": 3}}})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("sead",), 1),
        (("data", "batchsize"), 1),
        (("stages", 0, "train", "epoch"), 1),
        (("stages", 0, "train", "epochs"), 0),
        (("stages", 1, "prune", "schedule", "finl"), "80%"),
        (("stages", 1, "prune", "schedule", "end"), 70),
        (("stages", 1, "prune", "schedule", "kind"), "polinomial"),
        (("stages", 1, "prune", "layers", 0, "skp"), True),
        (("stages", 0, "magic"), {}),
        (("export", "tflit"), {}),
        (("export", "tflite", "int8", "quantize"), "int9"),
        (("export", "tflite", "int8", "quantise"), "int8"),
        (("compile", "optimizer"), "adamm"),
        (("compile", "optimizer", "clip"), 1),
        (("budgets", "bytes"), "60 kB"),
        (("name",), "my digits"),
    ],
)
def test_it_refuses_what_the_language_refuses(path: tuple[Any, ...], value: Any) -> None:
    changed = document()
    place: Any = changed
    for item in path[:-1]:
        place = place[item]
    place[path[-1]] = value
    assert not VALIDATOR.is_valid(plain(changed))


def test_it_refuses_a_recipe_that_lacks_something() -> None:
    for key in ("name", "data", "model"):
        changed = document()
        del changed[key]
        assert not VALIDATOR.is_valid(plain(changed))


def test_every_key_is_described_for_editors() -> None:
    def undescribed(schema: Any, path: str) -> list[str]:
        if not isinstance(schema, dict):
            return []
        missing = []
        for name, part in schema.get("properties", {}).items():
            described = "description" in part or "$ref" in part or not part
            missing += [] if described else [f"{path}.{name}"]
        for key, part in schema.items():
            missing += undescribed(part, f"{path}.{key}")
        return missing

    assert undescribed(SCHEMA, "") == []


def test_stages_and_exports_are_offered_by_name() -> None:
    entries = SCHEMA["properties"]["stages"]["oneOf"][0]["items"]["oneOf"]
    assert sorted(name for entry in entries for name in entry["properties"]) == sorted(CATALOG.stages)
    assert sorted(SCHEMA["properties"]["export"]["properties"]) == sorted(CATALOG.exports)


def test_defaults_are_spelt_as_in_a_recipe() -> None:
    assert SCHEMA["$defs"]["Polynomial"]["properties"]["end"]["default"] == "70%"
    assert SCHEMA["$defs"]["Polynomial"]["required"][0] == "kind"
