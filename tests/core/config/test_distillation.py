"""What can be said of a teacher without data and TensorFlow."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tfopt.catalog.catalog import catalog
from tfopt.core.config.data import Augment, changes_every_epoch
from tfopt.core.config.distillation import DEFAULT_TEMPERATURE, Teacher
from tfopt.core.config.ramps import Change, ResolvedChange, resolve
from tfopt.core.recipe.recipe import Recipe, build_recipe
from tfopt.errors import RecipeError


def recipe(teacher: Any, stage: str = "distill", augment: Any = None, loss: Any = None, **body: Any) -> Recipe:
    """A recipe that trains, and then trains with a teacher."""
    document: dict[str, Any] = {
        "name": "distiller",
        "data": {"source": "digits", "augment": augment},
        "model": {"source": "small_cnn"},
        "stages": [{"train": {"epochs": 2}}, {stage: {"epochs": 2, "teacher": teacher, **body}}],
    }
    if loss is not None:
        document["compile"] = {"loss": loss, "metrics": ["mae"]}
    return build_recipe(document, catalog())


def problem(*arguments: Any, **more: Any) -> str:
    """The one mistake of a recipe."""
    with pytest.raises(RecipeError) as caught:
        recipe(*arguments, **more)
    assert len(caught.value.problems) == 1
    return str(caught.value.problems[0])


def test_the_designs_sample_reads() -> None:
    schedule = {"kind": "polynomial", "initial": "30%", "final": "80%", "every": "20 steps"}
    made = recipe({"stage": "train", "temperature": 4, "weight": 0.5}, "prune", schedule=schedule)
    teacher = made.stages[1].teacher  # type: ignore[attr-defined]
    assert teacher.sources() == (teacher,)
    assert teacher.label == "stage train"
    assert made.stages[1].sources(0) == (teacher,)


def test_a_recipe_is_the_same_after_being_written_out() -> None:
    teacher = {
        "members": [{"stage": "train", "weight": 0.25}, {"file": "a.keras", "weight": 0.75}],
        "loss": {"kind": "decoupled", "others": 4},
        "temperature": {"initial": 8.0, "final": 1.0, "end": "50%"},
    }
    made = recipe(teacher)
    assert build_recipe(made.to_document(), catalog()) == made
    assert made.stages[1].teacher.shares() == (0.25, 0.75)  # type: ignore[attr-defined]


def test_what_is_left_out_depends_on_what_the_outputs_are() -> None:
    teacher = Teacher(stage="train")
    assert teacher.response_loss("classes") == teacher.response_loss("binary") == "soft_labels"
    assert teacher.response_loss("quantities") == "outputs"
    assert teacher.used_temperature() == DEFAULT_TEMPERATURE
    assert Teacher.model_validate({"members": [{"seed": 1}, {"seed": 2}]}).shares() == (0.5, 0.5)
    assert Teacher.model_validate({"ema": {}}).sources() == ()


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        ({}, "distill.teacher needs exactly one of stage, recipe, seed, file, members and ema"),
        ({"stage": "train", "file": "a.keras"}, "Got stage and file"),
        ({"stage": "train", "ema": {}}, "Got stage and ema"),
        ({"stage": "prune"}, "distill.teacher.stage is 'prune', not an earlier stage"),
        ({"stage": "train", "temperature": 0}, "temperature must be above 0. Got 0"),
        ({"stage": "train", "temperature": {"initial": 4, "final": 0}}, "temperature must be above 0. Got 0"),
        ({"stage": "train", "weight": 1.5}, "weight must be at least 0 and at most 1. Got 1.5"),
        ({"stage": "train", "weight": 0}, "weight is 0, so the teacher has no effect"),
        (
            {"members": [{"stage": "train", "weight": 0.5}, {"seed": 3, "weight": 0.6}]},
            "the weights of the members sum to 1.1; they must sum to 1",
        ),
        ({"members": [{"stage": "train", "weight": 0.5}, {"seed": 3}]}, "members.1 has no weight, but others have one"),
        ({"members": [{"stage": "train"}]}, "members"),
        ({"members": [{"stage": "trian"}, {"seed": 3}]}, "distill.teacher.members.0.stage is 'trian'.*train"),
        (
            {"members": [{"stage": "train"}, {"seed": 3}], "layers": [{"student": "a"}]},
            "distill.teacher.layers cannot be combined with members",
        ),
        ({"stage": "train", "loss": "none"}, "distill.teacher.loss is none, and there are no layers"),
        ({"stage": "train", "loss": "outputs"}, "is about classes. Use logits"),
        ({"stage": "train", "loss": "logits", "temperature": 3}, "temperature has no meaning for the loss logits"),
        ({"ema": {}, "cache": True}, "distill.teacher.cache cannot be combined with ema"),
        ({"ema": {"decay": 1}}, "distill.teacher.ema.decay must be below 1"),
        (
            {"file": "a.tflite", "layers": [{"student": "a"}]},
            "cannot be combined with a.tflite: a .tflite has outputs only",
        ),
        (
            {"stage": "train", "layers": [{"student": "a", "loss": {"kind": "relational", "distance": 0, "angle": 0}}]},
            "angle and distance are both 0",
        ),
        ({"stage": "train", "layers": [{"student": "a", "loss": "hints"}]}, "hint"),
        ({"stage": "train", "temperature": {"initial": 4, "final": 1, "end": "3 epochs"}}, "1 would never be reached"),
        ({"stage": "train", "weight": {"initial": 0, "final": 1, "begin": "2 epochs"}}, "nothing would ever change"),
        (
            {"stage": "train", "weight": {"initial": 0, "final": 1, "begin": "50%", "end": "50%"}},
            "it must come after begin",
        ),
    ],
)
def test_a_mistake_is_told_before_anything_is_loaded(teacher: Any, message: str) -> None:
    assert re.search(message, problem(teacher))


def test_a_distill_stage_needs_a_teacher() -> None:
    assert "teacher" in problem(None)


@pytest.mark.parametrize(
    ("teacher", "augment", "message"),
    [
        ({"stage": "train", "cache": True}, {"flip": "horizontal"}, "teacher.cache needs the same examples"),
        ({"file": "a.tflite"}, {"shift": "10%"}, "teacher.file is a.tflite: a .tflite is asked once"),
        ({"stage": "train", "loss": "decoupled"}, {"mixup": 0.2}, "teacher.loss is decoupled, which needs one right"),
    ],
)
def test_what_does_not_go_with_changed_images_is_told(teacher: Any, augment: Any, message: str) -> None:
    assert message in problem(teacher, augment=augment)


def test_a_cache_goes_with_a_number_of_variants_of_each_text() -> None:
    assert not changes_every_epoch(Augment.model_validate({"tokens": {"drop": "10%", "variants": 4}}))
    for augment in (
        {"tokens": {"drop": "10%"}},
        {"tokens": {"drop": "10%", "variants": 4}, "function": "mine:changed"},
    ):
        assert changes_every_epoch(Augment.model_validate(augment))


def test_an_empty_augmentation_changes_nothing() -> None:
    recipe({"stage": "train", "cache": True}, augment={})


def test_soft_labels_need_classes() -> None:
    assert "is soft_labels, but compile.loss mse is not about probabilities. Use outputs" in problem(
        {"stage": "train", "loss": "soft_labels"}, loss="mse"
    )
    assert "temperature has no meaning for the loss outputs" in problem(
        {"stage": "train", "temperature": 2}, loss="mse"
    )


def test_a_change_is_constant_before_and_after() -> None:
    change = resolve(Change.model_validate({"initial": 8.0, "final": 2.0, "begin": "20%", "end": "3 epochs"}), 50, 10)
    assert change == ResolvedChange("linear", 8.0, 2.0, 10, 30)
    assert [change.at(step) for step in (0, 10, 20, 30, 50)] == [8.0, 8.0, 5.0, 2.0, 2.0]
    assert ResolvedChange("cosine", 0.0, 1.0, 0, 30).at(10) == pytest.approx(0.25)
    assert resolve(3.0, 50, 10).at(17) == 3.0


def test_a_change_that_is_not_in_the_stage_is_refused() -> None:
    with pytest.raises(ValueError, match=r"from step 0 .* to step 60 .* within the 50 steps"):
        resolve(Change.model_validate({"initial": 8.0, "final": 2.0, "end": "60 steps"}), 50, 10)


def test_a_map_of_blocks_stands_for_a_pair_of_each() -> None:
    pair = {"student": "block*_attention", "loss": "attention_maps", "map": {1: 3, 2: 6}, "weight": 2}
    made = recipe({"stage": "train", "layers": [pair, {"student": "logits"}]})
    pairs = made.stages[1].teacher.pairs  # type: ignore[attr-defined]
    assert [(one.student, one.teacher_layer, one.kind, one.weight) for one in pairs] == [
        ("block1_attention", "block3_attention", "attention_maps", 2),
        ("block2_attention", "block6_attention", "attention_maps", 2),
        ("logits", "logits", "hint", 1),
    ]
    assert build_recipe(made.to_document(), catalog()) == made


@pytest.mark.parametrize("pair", [{"student": "block1", "map": {1: 3}}, {"student": "block*", "map": {}}])
def test_a_map_needs_a_star_and_entries(pair: dict[str, Any]) -> None:
    assert "map" in problem({"stage": "train", "layers": [pair]})
