"""report.json keeps its contract: what is written validates against the schema that is shipped, and is read back."""

from __future__ import annotations

import json
import math

import jsonschema
import pytest

from tests.support.sample_report import hostile_report, lying_report, sample_report
from tfopt import api
from tfopt.core.records.explanation import EffectRecord
from tfopt.core.records.report import Report


@pytest.mark.parametrize(
    "report", [sample_report(), lying_report(), hostile_report()], ids=["held", "broken", "hostile"]
)
def test_a_report_validates_and_is_read_back(report: Report) -> None:
    text = report.model_dump_json(by_alias=True)
    jsonschema.validate(json.loads(text), api.schema("report"))
    assert Report.model_validate_json(text) == report


def test_values_that_are_not_finite_are_read_back() -> None:
    effect = EffectRecord(metric=float("nan"), agreement=None, error=float("inf"), bytes=1)
    back = EffectRecord.model_validate_json(effect.model_dump_json())
    assert math.isnan(back.metric)
    assert back.error == math.inf
