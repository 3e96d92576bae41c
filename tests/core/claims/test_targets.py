"""What a file must reach: its budgets and its claim, as one yes or no."""

from __future__ import annotations

import pytest

from tfopt.core.claims.targets import target_of
from tfopt.core.config.budgets import Budget
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.training.compile import Compile
from tfopt.core.records.explanation import EffectRecord

DROP = Budget("int8", "accuracy_drop", 0.02, at_least=False)


def effect(metric: float, agreement: float | None = 1.0, error: float = 0.0) -> EffectRecord:
    return EffectRecord(metric=metric, agreement=agreement, error=error, bytes=1)


@pytest.mark.parametrize(
    ("found", "reached"),
    [(effect(0.95), True), (effect(0.92), False), (effect(0.95, agreement=0.9), False)],
)
def test_a_budget_and_the_claim_must_hold(found: EffectRecord, reached: bool) -> None:
    target = target_of("int8", Variant(quantize="int8"), [DROP], Compile(), 0.96)
    assert target.reached(found) is reached
    assert "int8.accuracy_drop of at most 2%" in str(target)


def test_budgets_of_other_files_and_of_sizes_do_not_count() -> None:
    budgets = [Budget("dynamic", "accuracy_drop", 0.0, False), Budget("int8", "bytes", 1.0, False)]
    assert target_of("int8", Variant(quantize="int8"), budgets, Compile(), 0.96).budgets == ()


def test_regression_is_judged_by_its_error() -> None:
    compile = Compile.model_validate({"loss": "mse", "metrics": ["mae"]})
    target = target_of("int8", Variant(quantize="int8"), [Budget("int8", "mae_drop", 0.1, False)], compile, 1.0)
    assert target.reached(effect(1.05, None, 0.05))
    assert not target.reached(effect(1.2, None, 0.05))
    assert not target.reached(effect(1.0, None, 0.5))


@pytest.mark.parametrize(
    ("compile", "model", "good", "bad"),
    [
        (Compile(), 0.95, effect(0.93), effect(0.78)),
        (Compile.model_validate({"loss": "mse", "metrics": ["mae"]}), 1.0, effect(1.1, None), effect(1.5, None)),
    ],
)
def test_without_a_budget_a_file_that_a_run_warns_about_is_not_enough(
    compile: Compile, model: float, good: EffectRecord, bad: EffectRecord
) -> None:
    target = target_of("int2", Variant(quantize="int2", agreement=0.5), [], compile, model)
    assert target.reached(good)
    assert not target.reached(bad)
    assert f"{compile.metric} at most" in str(target)
