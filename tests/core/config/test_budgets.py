"""Limits on what comes out."""

from __future__ import annotations

from typing import Any

import pytest

from tfopt.core.config.budgets import Budget, parse_budgets
from tfopt.core.config.training.compile import Compile, Loss, Metric

CLASSES = Compile()
NUMBERS = Compile(loss=Loss(name="mse"), metrics=(Metric(name="mae"),))


@pytest.mark.parametrize(
    ("key", "written", "limit", "at_least", "canonical"),
    [
        ("int8.bytes", "60 kB", 60_000, False, "60 kB"),
        ("int8.gzip_bytes", "64 KiB", 65_536, False, "65.536 kB"),
        ("int8.zstd_bytes", "40 kB", 40_000, False, "40 kB"),
        ("int8.latency_ms", "5 ms", 5.0, False, "5 ms"),
        ("int8.accuracy_drop", "1%", 0.01, False, "1%"),
        ("int8.accuracy", "95%", 0.95, True, "95%"),
        ("int8.accuracy", 0.95, 0.95, True, "95%"),
        ("int8.agreement", "98%", 0.98, True, "98%"),
    ],
)
def test_a_budget_is_read_and_written(key: str, written: Any, limit: float, at_least: bool, canonical: str) -> None:
    (budget,), problems = parse_budgets({key: written}, ["int8"], CLASSES)
    assert not problems
    assert budget == Budget("int8", key.split(".")[1], limit, at_least)
    assert str(budget) == canonical
    assert parse_budgets({budget.name: str(budget)}, ["int8"], CLASSES)[0] == (budget,)


def test_for_regression_less_is_better() -> None:
    budgets, problems = parse_budgets({"int8.mae": 0.5, "int8.agreement": 0.1, "int8.mae_drop": 0.2}, ["int8"], NUMBERS)
    assert not problems
    assert not any(budget.at_least for budget in budgets)
    assert budgets[0].met_by(0.4)
    assert not budgets[0].met_by(0.6)


@pytest.mark.parametrize(
    ("key", "written", "message"),
    [
        (
            "int8.mae",
            "1%",
            "budgets.int8.mae names no measure: 'mae'. Measures: bytes, gzip_bytes, zstd_bytes, ",
        ),
        (
            "int4.bytes",
            "60 kB",
            "budgets.int4.bytes is about 'int4', which is not an export of this recipe. Did you mean 'int8'?",
        ),
        ("bytes", "60 kB", "budgets has the key 'bytes'; a budget names a file and a measure, such as int8.bytes."),
        (
            "int8.latency_ms",
            5,
            "budgets.int8.latency_ms must be a duration with its unit, such as 5 ms, 200 us or 1 s. Got 5.",
        ),
        ("int8.bytes", -1, "budgets.int8.bytes must be a finite number of at least 0. Got -1."),
        ("int8.bytes", float("inf"), "budgets.int8.bytes must be a size such as 60 kB, 1.5 MB or 64 KiB. Got inf."),
        (
            "int8.accuracy",
            True,
            "budgets.int8.accuracy must be a percentage such as 80% or a number such as 0.8. Got true.",
        ),
        (
            "int8.accuracy",
            None,
            "budgets.int8.accuracy must be a percentage such as 80% or a number such as 0.8. Got nothing.",
        ),
    ],
)
def test_what_is_no_budget(key: str, written: Any, message: str) -> None:
    budgets, (problem,) = parse_budgets({key: written}, ["int8"], CLASSES)
    assert budgets == ()
    assert str(problem).startswith(message)
    assert problem.path == ("budgets", key)


def test_exports_that_are_not_known_are_not_complained_about() -> None:
    assert parse_budgets({"int8.bytes": 5}, None, CLASSES)[1] == []


def test_measures_of_language_models() -> None:
    compile = Compile.model_validate(
        {
            "loss": {"name": "sparse_categorical_crossentropy", "from_logits": True},
            "metrics": ["perplexity", "bits_per_character", "f1"],
        }
    )
    written: dict[str, Any] = {
        "int8.perplexity": 4.5,
        "int8.bits_per_character_drop": 0.05,
        "int8.f1": "80%",
        "generate_int8.decode_tokens_per_second": 100,
        "generate_int8.time_to_first_token": "20 ms",
    }
    budgets, problems = parse_budgets(written, ["int8", "generate_int8"], compile)
    assert problems == []
    assert [str(budget) for budget in budgets] == ["4.5", "0.05", "80%", "100", "20 ms"]
    assert [budget.at_least for budget in budgets] == [False, False, True, True, False]
    (problem,) = parse_budgets({"int8.perplexity": "5%"}, ["int8"], compile)[1]
    assert problem.code == "invalid_quantity"
