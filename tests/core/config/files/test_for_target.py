"""A target chooses what a file does not say, and what it cannot run is a mistake with its position."""

from __future__ import annotations

from typing import Any

import pytest

from tfopt.catalog.catalog import catalog
from tfopt.core.config.files.for_target import file_for_target
from tfopt.core.recipe.recipe import build_recipe
from tfopt.core.targets.table import TARGETS
from tfopt.errors import RecipeError


def recipe(target: str | None, files: dict[str, Any], **more: Any) -> dict[str, Any]:
    about = {"name": "r", "data": {"source": "digits"}, "model": {"source": "mlp"}}
    chosen = {} if target is None else {"target": target}
    return {**about, **chosen, "stages": [{"train": {"epochs": 1}}], "export": {"tflite": files}, **more}


def mistakes(document: dict[str, Any]) -> list[tuple[tuple[Any, ...], str]]:
    with pytest.raises(RecipeError) as caught:
        build_recipe(document, catalog())
    return [(problem.path, problem.code) for problem in caught.value.problems]


def test_small_devices_get_int8_and_one_example_per_call() -> None:
    made = build_recipe(recipe("tflm", {"small": None, "whole": {"quantize": "none"}}), catalog()).to_document()
    files = made["export"]["tflite"]
    assert {key: files["small"][key] for key in ("quantize", "io", "batch")} == {
        "quantize": "int8", "io": "int8", "batch": 1,
    }  # fmt: skip
    assert (files["whole"]["quantize"], files["whole"]["io"], files["whole"]["batch"]) == ("none", "float32", 1)
    assert made["target"] == "tflm"
    again = build_recipe(made, catalog()).to_document()
    assert again == made


def test_what_is_written_stays_and_phones_change_nothing() -> None:
    target = TARGETS["edgetpu"]
    assert file_for_target("a", {"io": "uint8"}, target) == {"io": "uint8", "quantize": "int8", "batch": 1}
    assert file_for_target("float32", None, target) == {"batch": 1}
    assert file_for_target("a", "nonsense", target) == "nonsense"
    assert file_for_target("a", {"quantize": ["x"]}, target) == {"quantize": ["x"], "batch": 1}
    assert file_for_target("a", None, TARGETS["android"]) == {}
    assert "target" not in build_recipe(recipe(None, {"a": None}), catalog()).to_document()


@pytest.mark.parametrize(
    ("target", "body", "key"),
    [
        ("tflm", {"quantize": "float16"}, "quantize"),
        ("tflm", {"quantize": "dynamic"}, "quantize"),
        ("edgetpu", {"quantize": "none"}, "quantize"),
        ("edgetpu", {"batch": "dynamic"}, "batch"),
        ("web", {"shape": "dynamic"}, "shape"),
    ],
)
def test_what_a_target_lacks_is_refused_with_its_position(target: str, body: dict[str, Any], key: str) -> None:
    assert mistakes(recipe(target, {"f": body})) == [(("export", "tflite", "f", key), "target_lacks")]


def test_rules_are_judged_with_the_activations_of_their_file() -> None:
    rules = {"quantize": "int8", "layers": [{"type": "Embedding", "quantize": "int4"}]}
    assert build_recipe(recipe("tflm", {"f": rules}), catalog()).target == "tflm"
    where = ("export", "tflite", "f", "layers", 0, "quantize")
    assert mistakes(recipe("edgetpu", {"f": rules})) == [(where, "target_lacks")]


@pytest.mark.parametrize("kind", ["keras", "saved_model"])
@pytest.mark.parametrize(
    ("measure", "limit"), [("latency_ms", "5 ms"), ("entropy_bytes", "5 kB"), ("within_quantum", "90%")]
)
def test_a_budget_on_what_only_tflite_files_have(measure: str, limit: str, kind: str) -> None:
    document = recipe(None, {"f": None}, budgets={f"{kind}.{measure}": limit})
    document["export"][kind] = {}
    assert mistakes(document) == [(("budgets", f"{kind}.{measure}"), "unknown_name")]
    document["budgets"] = {f"{kind}.gzip_bytes": "5 kB"}
    assert build_recipe(document, catalog()).budgets


def test_an_unknown_target_and_a_budget_that_is_never_measured() -> None:
    assert mistakes(recipe("phone", {"f": None})) == [(("target",), "not_a_choice")]
    without = recipe("android", {"f": None})
    without["export"] = {"keras": {}}
    assert mistakes(without) == [(("target",), "conflicting_keys")]
    document = recipe("android", {"f": None}, budgets={"keras.phone_latency": "5 ms"})
    document["export"]["keras"] = {}
    assert mistakes(document) == [(("budgets", "keras.phone_latency"), "unknown_name")]
