"""Whether outputs were compared as choices among classes or as numbers, whatever the metric is called."""

from __future__ import annotations

import pytest

from tests.support.sample_report import sample_report
from tfopt.core.records.report import Report
from tfopt.report.run.agreement import agreement_is_share
from tfopt.report.run.rows import export_rows, likeness


def _with(metric: str, measures: dict[str, float], code: str) -> Report:
    report = sample_report()
    exports = [
        one.model_copy(
            update={"measures": measures, "claims": [claim.model_copy(update={"code": code}) for claim in one.claims]}
        )
        for one in report.exports
    ]
    return report.model_copy(update={"metric": metric, "exports": exports, "budgets": []})


@pytest.mark.parametrize("metric", ["hit_rate", "HitRate", "accuracy", "loss"])
def test_a_metric_of_any_name_about_classes(metric: str) -> None:
    report = _with(metric, {metric: 0.9, "agreement": 1.0}, "same_outputs")
    assert agreement_is_share(report)
    found = likeness(report)
    assert (found.heading, found.text(export_rows(report)[0])) == ("agreement", "100.0%")


def test_quantities_have_an_error() -> None:
    report = _with("mae", {"mae": 0.9, "agreement": 0.2, "relative_error": 0.01}, "same_outputs")
    assert not agreement_is_share(report)
    assert likeness(report).text(export_rows(report)[0]) == "1.0%"


def test_reports_of_the_first_version_are_told_by_the_metric() -> None:
    assert agreement_is_share(_with("accuracy", {"agreement": 1.0}, ""))
    report = _with("mae", {"agreement": 0.25}, "")
    found = likeness(report)
    assert (found.heading, found.text(export_rows(report)[0])) == ("difference", "0.25")
