"""report.json keeps its contract: what is written validates against the schema that is shipped, and is read back."""

from __future__ import annotations

import json

import jsonschema
import pytest

from tests.support.sample_report import hostile_report, lying_report, sample_report
from tfopt import api
from tfopt.core.records.report import Report


@pytest.mark.parametrize(
    "report", [sample_report(), lying_report(), hostile_report()], ids=["held", "broken", "hostile"]
)
def test_a_report_validates_and_is_read_back(report: Report) -> None:
    text = report.model_dump_json(by_alias=True)
    jsonschema.validate(json.loads(text), api.schema("report"))
    assert Report.model_validate_json(text) == report
