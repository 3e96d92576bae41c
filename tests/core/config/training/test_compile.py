"""Losses and metrics by output name: names, views of one output, mistakes."""

from __future__ import annotations

from typing import Any

import pytest

from tfopt.catalog.catalog import catalog
from tfopt.core.config.training.compile import Compile
from tfopt.core.recipe.recipe import build_recipe
from tfopt.errors import RecipeError

TWO: dict[str, Any] = {
    "loss": {"digit": "sparse_categorical_crossentropy", "ink": {"name": "huber", "delta": 0.5}},
    "metrics": {"digit": ["accuracy", "f1"]},
}


def test_values_are_called_by_output_and_metric() -> None:
    compile = Compile.model_validate(TWO)
    assert compile.metric_names == ("digit_accuracy", "digit_f1", "ink_mae")
    assert compile.losses == ("loss", "digit_loss", "ink_loss")
    assert (compile.metric, compile.main_output) == ("digit_accuracy", "digit")
    chosen = Compile.model_validate({**TWO, "main_metric": "ink_mae"})
    assert (chosen.metric, chosen.main_output) == ("ink_mae", "ink")


def test_one_output_is_seen_as_a_model_of_its_own() -> None:
    compile = Compile.model_validate(TWO)
    ink = compile.of("ink")
    assert (ink.single_loss.name, [metric.name for metric in ink.single_metrics]) == ("huber", ["mae"])
    assert [*compile.of_each()] == ["digit", "ink"]
    assert [*Compile().of_each()] == [""]


def test_outputs_get_the_order_of_the_model() -> None:
    compile = Compile.model_validate(TWO).of_model(["features", "ink", "digit"])
    assert compile.all_outputs == ("features", "ink", "digit")
    assert compile.outputs == ("ink", "digit")
    assert compile.metric == "digit_accuracy"
    assert compile.meaning_of("features").single_loss.name == "mse"
    with pytest.raises(KeyError, match="ink"):
        compile.of_model(["digit"])


def test_a_recipe_with_one_output_is_written_as_before() -> None:
    assert Compile().model_dump(mode="json") == {
        "optimizer": {"name": "adam", "learning_rate": 0.001},
        "loss": {"name": "sparse_categorical_crossentropy"},
        "metrics": [{"name": "accuracy"}],
    }


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"loss": {"digit": "sparse_categorical_crossentropi"}}, r"compile\.loss\.digit.*names no loss of Keras"),
        ({"loss": {"model": "mse"}}, "'model' means all outputs together"),
        ({"loss": {"head/1": "mse"}}, "letters, digits and _"),
        ({"loss": {"digit": None}}, "judges no output"),
        ({"loss": {"a": "mse"}, "metrics": ["mae"]}, "must name outputs, as compile.loss does"),
        ({"loss": "mse", "metrics": {"a": ["mae"]}}, "compile.loss does not"),
        ({"loss": {"digit": "mse"}, "metrics": {"digt": ["mae"]}}, "Did you mean 'digit'"),
        ({"loss": {"a": "mse"}, "metrics": {"model": ["mae"]}}, "a metric of one output"),
        ({"loss": {"a": "mse"}, "loss_weights": {"b": 1}}, "an output without a loss"),
        ({"loss": {"a": "mse"}, "loss_weights": {"a": 0}}, "all 0"),
        ({"loss": "mse", "loss_weights": {"a": 1}}, "for a model with several outputs"),
        ({"loss": {"a": "mse"}, "main_metric": "mae"}, "Did you mean 'a_mae'"),
        ({"loss": {"a": "mse"}, "metrics": {"a": []}}, "has no metric"),
        ({"loss": {"a": "mse", "a_b": "mse"}, "metrics": {"a": ["m:b_mae"]}}, "gives two values the name 'a_b_mae'"),
    ],
)
def test_a_mistake_is_one_clear_error(written: dict[str, Any], message: str) -> None:
    document = {"name": "r", "data": {"source": "digits"}, "model": {"source": "mlp"}, "compile": written}
    with pytest.raises(RecipeError, match=message) as raised:
        build_recipe({**document, "stages": [{"train": {"epochs": 1}}]}, catalog())
    assert len(raised.value.problems) == 1


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ({"early_stopping": {"monitor": "val_accuracy"}}, "val_digit_accuracy"),
        ({"early_stopping": {"monitor": "val_both"}}, "measured of finished stages and of files"),
        ({"class_weights": "balanced"}, r"must name the output.*\{digit: balanced\}"),
        ({"class_weights": {"ink": "balanced"}}, "no output with classes.*digit"),
    ],
)
def test_stages_name_outputs_too(stage: dict[str, Any], message: str) -> None:
    compile = {**TWO, "metrics": {**TWO["metrics"], "model": ["mine:both"]}}
    document = {"name": "r", "data": {"source": "digits"}, "model": {"source": "mlp"}, "compile": compile}
    with pytest.raises(RecipeError, match=message):
        build_recipe({**document, "stages": [{"train": {"epochs": 1, **stage}}]}, catalog())


def test_budgets_are_of_each_output() -> None:
    document = {
        "name": "r",
        "data": {"source": "digits"},
        "model": {"source": "mlp"},
        "compile": TWO,
        "stages": [{"train": {"epochs": 1, "class_weights": {"digit": "balanced"}}}],
        "export": {"tflite": {"int8": {"quantize": "int8"}}},
    }
    budgets = {"int8.digit_accuracy": "95%", "int8.ink_mae": 0.1, "int8.ink_relative_error": "5%"}
    recipe = build_recipe({**document, "budgets": budgets}, catalog())
    assert [(budget.name, budget.at_least) for budget in recipe.budgets] == [
        ("int8.digit_accuracy", True),
        ("int8.ink_mae", False),
        ("int8.ink_relative_error", False),
    ]
    with pytest.raises(RecipeError, match=r"names no measure: 'agreement'.*digit_agreement"):
        build_recipe({**document, "budgets": {"int8.agreement": "95%"}}, catalog())
