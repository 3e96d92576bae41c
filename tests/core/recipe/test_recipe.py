"""From plain values to a Recipe and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.errors import refused
from tests.support.recipes import anything, document, documents, known
from tfopt.core.config.schedules import Constant
from tfopt.core.language.quantities import Span
from tfopt.core.recipe.recipe import Recipe, build_recipe, read_recipe
from tfopt.errors import RecipeError
from tfopt.stages.prune import Prune
from tfopt.stages.train import Train

CATALOG = known()


def messages(changed: dict[str, Any]) -> list[str]:
    with pytest.raises(RecipeError, match=r"\.") as caught:
        build_recipe(changed, CATALOG)
    return [str(problem) for problem in caught.value.problems]


def test_a_recipe_holds_what_was_written_with_defaults_filled_in() -> None:
    recipe = build_recipe(document(), CATALOG)
    assert [stage.name for stage in recipe.stages] == ["train", "prune", "qat"]
    prune = recipe.stage("prune")
    assert isinstance(prune, Prune)
    assert prune.schedule.end == Span(0.7, "%")
    assert prune.block_size == (1, 1)
    assert recipe.export_names() == ("keras", "float32", "int8")
    assert [(budget.name, budget.limit, budget.at_least) for budget in recipe.budgets] == [
        ("int8.accuracy_drop", 0.01, False),
        ("int8.bytes", 60_000, False),
    ]


def test_repeated_stages_are_numbered() -> None:
    changed = document()
    changed["stages"] = [{"train": {"epochs": 1}}, {"train": {"epochs": 2}}, {"train": {"epochs": 3, "name": "last"}}]
    assert [stage.name for stage in build_recipe(changed, CATALOG).stages] == ["train", "train_2", "last"]


def test_a_given_name_does_not_collide_with_a_number_unseen() -> None:
    changed = document()
    changed["stages"] = [
        {"train": {"epochs": 1, "name": "train_2"}},
        {"train": {"epochs": 2}},
        {"train": {"epochs": 3}},
    ]
    assert messages(changed) == ["two stages are named 'train_2'. Give one of them another name."]


def test_all_mistakes_are_found_at_once() -> None:
    changed = document()
    del changed["model"]
    changed["stages"][0]["train"]["epochs"] = 0
    changed["stages"][1]["prune"]["schedule"]["end"] = "12 epochs"
    changed["export"]["tflite"]["int8"]["io"] = "int16"
    changed["budgets"]["int8.accuracy_dorp"] = "1%"
    assert messages(changed) == [
        "the recipe needs the key 'model': which model.",
        "train.epochs must be at least 1. Got 0.",
        "export.tflite.int8: io: int16 needs quantize: int16x8 (got quantize: int8).",
        "prune.schedule.end is 12 epochs, but the stage has 10 epochs: 80% would never be reached.",
        "budgets.int8.accuracy_dorp names no measure: 'accuracy_dorp'. Did you mean 'accuracy_drop'?",
    ]


def test_a_recipe_without_stages_converts_what_is_there() -> None:
    changed = document()
    changed["stages"] = []
    assert build_recipe(changed, CATALOG).stages == ()
    changed["export"] = {}
    changed["budgets"] = {}
    assert messages(changed) == ["the recipe has neither stages nor export: it would do nothing."]


@pytest.mark.parametrize("top", [None, [], "digits", 3])
def test_what_is_no_mapping_is_no_recipe(top: Any) -> None:
    assert messages(top)[0].startswith("a recipe must be a mapping (keys with values). Got ")


@pytest.mark.parametrize(
    ("block", "value", "message"),
    [
        ("stages", {"train": {}}, "stages must be a list of stages such as [{train: {epochs: 10}}]. Got "),
        ("export", ["keras"], "export must be a mapping such as {tflite: {int8: {quantize: int8}}}. Got "),
        ("budgets", ["int8.bytes"], "budgets must be a mapping such as {int8.bytes: 60 kB}. Got "),
        ("data", "digits", "data must be a mapping (keys with values). Got 'digits'."),
        ("stages", [{"qat": {"epochs": 1}}, {"train": {"epochs": 1}}], "train cannot follow qat: "),
    ],
)
def test_blocks_of_the_wrong_shape(block: str, value: Any, message: str) -> None:
    changed = {**document(), "budgets": {}, block: value}
    assert messages(changed)[0].startswith(message)


def test_the_learning_rate_of_compile_fits_every_stage_that_uses_it() -> None:
    changed = document()
    changed["compile"]["optimizer"]["learning_rate"] = {"kind": "cosine", "initial": 1e-3, "warmup": "7 epochs"}
    assert messages(changed) == [
        "compile.optimizer.learning_rate.warmup is 7 epochs, but the stage has 5 epochs: the rate would never come "
        "down (in stage qat)."
    ]
    changed["stages"][2]["qat"]["learning_rate"] = 1e-4
    build_recipe(changed, CATALOG)


def test_the_steps_of_a_learning_rate_come_in_order() -> None:
    changed = document()
    changed["stages"][0]["train"]["learning_rate"] = {
        "kind": "piecewise",
        "initial": 1,
        "steps": [{"at": "10 epochs", "rate": 0.1}, {"at": "50%", "rate": 0.01}],
    }
    (message,) = messages(changed)
    assert message == "train.learning_rate.steps.1.at is 50%: it must come after the step before (10 epochs)."


def test_what_a_learning_rate_watches_is_measured() -> None:
    changed = document()
    changed["compile"]["optimizer"]["learning_rate"] = {"kind": "plateau", "initial": 1, "monitor": "val_los"}
    assert messages(changed) == [
        "compile.optimizer.learning_rate.monitor watches 'val_los', which is not measured. Did you mean 'val_loss'?"
    ]


def test_a_stage_is_asked_for_by_name() -> None:
    with pytest.raises(KeyError, match="prun"):
        build_recipe(document(), CATALOG).stage("prun")


def test_a_recipe_can_be_written_in_python() -> None:
    parts = build_recipe(document(), CATALOG)
    recipe = Recipe(name="mine", data=parts.data, model=parts.model, stages=(Train(name="train", epochs=2),))
    assert recipe.to_document()["stages"] == [{"train": {"name": "train", "epochs": 2, "tensorboard": False}}]
    assert recipe.with_overrides({"stages.train.epochs": 3}).stages[0].epochs == 3  # type: ignore[attr-defined]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_a_recipe_that_is_written_out_is_the_same_recipe(written: dict[str, Any]) -> None:
    recipe = build_recipe(written, CATALOG)
    again = build_recipe(recipe.to_document(), CATALOG)
    assert again == recipe
    assert again.to_document() == recipe.to_document()


def test_overrides_give_a_new_recipe() -> None:
    recipe = build_recipe(document(), CATALOG)
    changed = recipe.with_overrides({"stages.prune.schedule.final": "90%", "seed": 3})
    assert changed.seed == 3
    assert changed.stage("prune").schedule.final == 0.9  # type: ignore[attr-defined]
    assert recipe == build_recipe(document(), CATALOG)
    assert changed.with_overrides({"stages.prune.schedule.final": "80%", "seed": 7}) == recipe


def test_an_override_may_bring_a_stage_that_was_not_there() -> None:
    recipe = build_recipe({**document(), "stages": [{"train": {"epochs": 1}}]}, CATALOG)
    changed = recipe.with_overrides(
        {"stages": [{"train": {"epochs": 1}}, {"prune": {"epochs": 2, "schedule": Constant(final=0.5)}}]}
    )
    assert changed.stage("prune").schedule == Constant(final=0.5)  # type: ignore[attr-defined]


def test_an_override_that_makes_no_recipe_is_refused() -> None:
    recipe = build_recipe(document(), CATALOG)
    with refused(RecipeError, "invalid_value", "prune.schedule.final", "120%"):
        recipe.with_overrides({"stages.prune.schedule.final": "120%"})


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path in a document but the top."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, part in children for found in [(*path, key), *places(part, (*path, key))]]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(places(document())), anything)
def test_no_value_at_any_place_makes_anything_but_a_recipe_or_problems(path: tuple[Any, ...], value: Any) -> None:
    changed: Any = document()
    place = changed
    for item in path[:-1]:
        place = place[item]
    place[path[-1]] = value
    recipe, problems = read_recipe(changed, CATALOG)
    assert (recipe is None) == bool(problems)
    assert all(problem.message.endswith((".", "?", "!")) for problem in problems)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([".".join(map(str, path)) for path in places(document())]), anything)
def test_no_override_makes_anything_but_a_recipe_or_problems(path: str, value: Any) -> None:
    recipe = build_recipe(document(), CATALOG)
    try:
        changed = recipe.with_overrides({path: value})
    except RecipeError:
        return
    assert build_recipe(changed.to_document(), CATALOG) == changed
