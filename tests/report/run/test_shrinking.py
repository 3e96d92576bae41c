"""What reports say about a shrink stage."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tfopt.report.run.shrinking import shrunk_stages

ROW = {
    "group": "conv", "kind": "channels", "units_before": 16, "units_after": 8, "score_kept": 2.0, "score_removed": 0.5,
    "macs_before": 600, "macs_after": 240,
}  # fmt: skip
DETAILS = {
    "budget": "macs 50%", "criterion": "l1", "allocation": "uniform", "tries": [], "groups": [ROW],
    "macs_before": 1000, "macs_after": 400, "parameters_before": 10, "parameters_after": 5,
}  # fmt: skip
TIMED = {
    "budget": "latency 60%", "ms_before_by_table": 4.0, "ms_after_by_table": 2.0, "ms_after": 2.1,
    "groups": [{**ROW, "ms_before": 3.0, "ms_after": 1.0}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "cells"),
    [
        ({}, {"share of MACs": "60.0% to 60.0%"}),
        (TIMED, {"share of MACs": "60.0% to 60.0%", "ms by table": "3 to 1", "share of ms": "75.0% to 50.0%"}),
    ],
)
def test_a_group_has_its_units_scores_and_shares_of_the_cost(more: dict[str, Any], cells: dict[str, str]) -> None:
    record = SimpleNamespace(name="shrink", details={"shrink": {**DETAILS, **more}})
    (stage,) = shrunk_stages(SimpleNamespace(stages=[record], metric="accuracy"))
    row = dict(zip(stage.headings, stage.rows[0], strict=True))
    common = {"group": "conv", "kind": "channels", "units": "16 to 8", "score kept": "2", "score removed": "0.5"}
    assert {key: row[key] for key in (*common, *cells)} == {**common, **cells}
    assert set(row) == {*common, *cells, "MACs"}
