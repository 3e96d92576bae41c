"""A ruined model is told of, with figures and a cause, where no budget does it."""

from __future__ import annotations

import pytest

from tests.support.sample_report import sample_report
from tfopt.core.claims.decline import decline_warnings
from tfopt.core.records.report import BudgetRecord, Report
from tfopt.report.run import sentences
from tfopt.report.run.text import verdict_text


def report(*after: float, file: float | None = None, metric: str = "accuracy", files: bool = True) -> Report:
    """The sample run with other values of the metric after its stages, and in its files."""
    sample = sample_report()
    stages = [
        stage.model_copy(update={"measures": {metric: value, "sparsity": stage.measures["sparsity"]}})
        for stage, value in zip(sample.stages, after, strict=True)
    ]
    exports = [
        export.model_copy(update={"measures": {metric: after[-1] if file is None else file}})
        for export in sample.exports
    ]
    changed = {"stages": stages, "exports": exports if files else [], "budgets": [], "metric": metric}
    return sample.model_copy(update=changed)


def test_the_stage_that_lost_most_is_named_with_its_steps() -> None:
    ruined = report(0.972, 0.140, 0.145)
    (warning,) = decline_warnings(ruined)
    assert (
        "accuracy was 97.2% after train and is 14.5% after qat: most was lost in prune (200 steps, 80% spar" in warning
    )
    assert "lower final sparsity" in warning
    verdict = sentences.verdict(ruined)
    assert verdict.good
    assert verdict.headline.endswith(", but the model became much worse.")
    assert verdict.concerns == (warning,)
    assert "yellow" in str(verdict_text(ruined)[0].style)  # type: ignore[union-attr]
    assert decline_warnings(report(0.972, 0.140, 0.145, files=False))


def test_a_file_that_is_worse_than_its_model_is_named() -> None:
    warnings = decline_warnings(report(0.97, 0.97, 0.96, file=0.7))
    assert len(warnings) == len(sample_report().exports)
    assert "accuracy is 70.0%, that of the model it was made from 96.0%" in warnings[-1]


def test_a_file_of_the_model_before_qat_is_judged_by_that_model() -> None:
    trained = report(0.80, 0.82, 0.99, file=0.81)
    plain = [export.model_copy(update={"details": {"without_stage": "qat"}}) for export in trained.exports]
    assert decline_warnings(trained.model_copy(update={"exports": plain})) == ()
    worse = [export.model_copy(update={"measures": {"accuracy": 0.5}}) for export in plain]
    warnings = decline_warnings(trained.model_copy(update={"exports": worse}))
    assert "accuracy is 50.0%, that of the model it was made from 82.0%" in warnings[-1]


def test_errors_are_judged_relative_to_what_they_were() -> None:
    assert decline_warnings(report(1.31, 1.40, 1.5, metric="mae")) == ()
    (warning,) = decline_warnings(report(1.31, 1.33, 3.36, metric="mae"))
    assert "mae was 1.31 after train and is 3.36 after qat: most was lost in qat" in warning


@pytest.mark.parametrize("values", [(0.97, 0.96, 0.95), (0.10, 0.95, 0.97)])
def test_noise_and_progress_are_no_decline(values: tuple[float, ...]) -> None:
    assert decline_warnings(report(*values)) == ()
    assert sentences.verdict(report(*values)).concerns == ()


def test_a_budget_on_the_metric_speaks_for_itself() -> None:
    ruined = report(0.972, 0.140, 0.145)
    budgets = [
        BudgetRecord(name=f"{export.name}.accuracy_drop", limit=0.9, value=0.83, met=True) for export in ruined.exports
    ]
    assert decline_warnings(ruined.model_copy(update={"budgets": budgets})) == ()
    size = [BudgetRecord(name="int8.bytes", limit=9e9, value=1, met=True)]
    assert decline_warnings(ruined.model_copy(update={"budgets": size})) != ()
