"""Tables of a run as rows of values."""

from __future__ import annotations

import pytest

from tests.support.sample_report import lying_report, sample_report
from tfopt.core.records.report import Report, RunInfo
from tfopt.report.run import rows, sentences


def test_an_empty_report_makes_empty_tables() -> None:
    report = Report(run=RunInfo(id="1", recipe="empty", state="done", seconds=0.0, seed=0))
    assert sentences.verdict(report).headline == "The run is done; its recipe makes no claim and sets no budget."
    assert rows.export_rows(report) == rows.stage_rows(report) == rows.budget_rows(report) == ()
    assert rows.layer_table(report) == rows.LayerTable((), (), ())


def test_export_rows_carry_measures_claims_and_their_budgets() -> None:
    row = rows.export_rows(lying_report())[-1]
    assert (row.name, row.bytes, row.gzip_bytes) == ("int8", 43_560, 16_480)
    assert (row.metric, row.agreement, row.latency_ms) == (0.9778, 0.9944, 0.0121)
    assert row.drop == pytest.approx(0.0055)
    assert (row.num_held, row.num_claims) == (5, 6)
    assert [budget.name for budget in row.budgets] == ["int8.latency_ms", "int8.accuracy_drop", "int8.bytes"]
    assert [claim.claim for claim in row.broken] == ["int8 only"]
    assert not row.held


def test_a_file_that_was_not_run_has_no_figures_rather_than_zeros() -> None:
    row = rows.export_rows(sample_report())[0]
    assert (row.agreement, row.latency_ms, row.latency_ms_p10) == (None, None, None)


def test_stage_rows() -> None:
    stages = rows.stage_rows(sample_report())
    assert [(row.name, row.num_epochs, row.cached) for row in stages] == [
        ("train", 15, True), ("prune", 10, False), ("qat", 5, False)
    ]  # fmt: skip
    assert stages[1].sparsity == 0.7991


def test_the_layer_table_follows_sparsity_from_stage_to_file() -> None:
    table = rows.layer_table(lying_report())
    assert table.stages == ("train", "prune", "qat")
    assert table.files == ("float32", "dynamic", "int8")
    hidden = next(row for row in table.rows if row.name == "hidden")
    assert hidden.after_stages == (0.0, 0.7991, 0.7991)
    assert hidden.in_files == pytest.approx((0.7991, 0.7998, 0.31))


def test_the_threads_of_the_latency_are_those_of_the_timing() -> None:
    report = sample_report()
    timed = report.exports[-1].model_copy(update={"details": {"threads": 2, "latency": {"threads": 1}}})
    assert rows.latency_threads(report.model_copy(update={"exports": [*report.exports[:-1], timed]})) == 1
    assert rows.latency_threads(report.model_copy(update={"exports": []})) is None
