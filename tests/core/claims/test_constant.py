"""A model that is no better than one that always answers the same is told of."""

from __future__ import annotations

import pytest

from tests.support.sample_report import sample_report
from tfopt.core.claims.constant import constant_warnings
from tfopt.core.records.report import BudgetRecord, Report
from tfopt.report.run import sentences


def report(accuracy: float, shares: dict[str, float] | None, metric: str = "accuracy", **changes: object) -> Report:
    """The sample run, whose accuracy after each stage is the same, without budgets."""
    sample = sample_report()
    stages = [stage.model_copy(update={"measures": {metric: accuracy}}) for stage in sample.stages]
    exports = [export.model_copy(update={"measures": {metric: accuracy}}) for export in sample.exports]
    data = sample.data.model_copy(update={"most_frequent": shares})
    changed = {"stages": stages, "exports": exports, "budgets": [], "metric": metric, "data": data, **changes}
    return sample.model_copy(update=changed)


@pytest.mark.parametrize("accuracy", [0.09, 0.10333333909511566])
def test_it_is_told_with_both_figures(accuracy: float) -> None:
    poor = report(accuracy, {"": 0.10333333333333333})
    (warning,) = constant_warnings(poor)
    assert warning.startswith(
        f"accuracy is {accuracy:.1%} after qat, not above the 10.3% of a model that always answers"
    )
    verdict = sentences.verdict(poor)
    assert verdict.headline.endswith(", but the model is no better than one that always answers the same.")
    assert warning in verdict.concerns


def test_the_output_of_the_metric_is_the_one_that_counts() -> None:
    shares = {"digit": 0.1, "even": 0.6}
    assert constant_warnings(report(0.5, shares, "digit_accuracy")) == ()
    assert "60.0% of a model" in constant_warnings(report(0.5, shares, "even_accuracy"))[0]


def test_nothing_is_said_of_better_models_other_metrics_and_where_a_budget_says_what_is_enough() -> None:
    assert constant_warnings(report(0.2, {"": 0.1})) == ()
    assert constant_warnings(report(0.09, None)) == ()
    assert constant_warnings(report(0.09, {"": 0.1}, "mae")) == ()
    budget = BudgetRecord(name="int8.accuracy", limit=0.05, value=0.09, met=True)
    assert constant_warnings(report(0.09, {"": 0.1}, budgets=[budget])) == ()
