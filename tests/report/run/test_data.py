"""Tables and verdicts as plain values."""

from __future__ import annotations

import pytest

from tests.support.sample_report import lying_report, sample_report
from tfopt.core.records.report import BudgetRecord, Report, RunInfo, StageRecord
from tfopt.report.run import data


def test_a_run_that_held_says_so() -> None:
    verdict = data.verdict(sample_report())
    assert verdict == data.Verdict(True, "All 16 claims held and both budgets met.", ())


def test_what_did_not_hold_is_said_in_words_with_file_and_figures() -> None:
    verdict = data.verdict(lying_report())
    assert not verdict.good
    assert verdict.headline == "1 of 16 claims broken and 3 of 5 budgets not met."
    assert verdict.broken == (
        "int8 does not hold 'int8 only': FULLY_CONNECTED computes in float32 (tensor small_cnn/logits, layer logits)",
        "int8.latency_ms is 12.1 µs; the budget is at most 10 µs.",
        "dynamic.accuracy is 97.8%; the budget is at least 99%.",
        "float32.gzip_bytes could not be measured; the budget is 30 kB.",
    )


def test_a_budget_missed_by_less_than_the_spelling_shows_is_spelled_out() -> None:
    report = sample_report().model_copy(
        update={"budgets": [BudgetRecord(name="int8.bytes", limit=60_000, value=60_004, met=False)]}
    )
    assert data.budget_rows(report)[0].sentence == "int8.bytes is 60004; the budget is at most 60000."


@pytest.mark.parametrize(
    ("state", "error", "start"),
    [
        ("failed", "prune: loss is not a number.", "The run failed: prune: loss"),
        ("interrupted", None, "The run was inter"),
    ],
)
def test_a_run_that_did_not_finish_is_never_good(state: str, error: str | None, start: str) -> None:
    run = sample_report().run.model_copy(update={"state": state, "error": error})
    verdict = data.verdict(sample_report().model_copy(update={"run": run}))
    assert not verdict.good
    assert verdict.headline.startswith(start)


def test_an_empty_report_makes_empty_tables() -> None:
    report = Report(run=RunInfo(id="1", recipe="empty", state="done", seconds=0.0, seed=0))
    assert data.verdict(report).headline == "The run is done; its recipe makes no claim and sets no budget."
    assert data.export_rows(report) == data.stage_rows(report) == data.budget_rows(report) == ()
    assert data.layer_table(report) == data.LayerTable((), (), ())


def test_export_rows_carry_measures_claims_and_their_budgets() -> None:
    row = data.export_rows(lying_report())[-1]
    assert (row.name, row.bytes, row.gzip_bytes) == ("int8", 43_560, 16_480)
    assert (row.metric, row.agreement, row.latency_ms) == (0.9778, 0.9944, 0.0121)
    assert row.drop == pytest.approx(0.0055)
    assert (row.num_held, row.num_claims) == (5, 6)
    assert [budget.name for budget in row.budgets] == ["int8.latency_ms", "int8.accuracy_drop", "int8.bytes"]
    assert [claim.claim for claim in row.broken] == ["int8 only"]
    assert not row.held


def test_a_file_that_was_not_run_has_no_figures_rather_than_zeros() -> None:
    row = data.export_rows(sample_report())[0]
    assert (row.agreement, row.latency_ms, row.latency_ms_p10) == (None, None, None)


def test_stage_rows() -> None:
    rows = data.stage_rows(sample_report())
    assert [(row.name, row.num_epochs, row.cached) for row in rows] == [
        ("train", 15, True), ("prune", 10, False), ("qat", 5, False)
    ]  # fmt: skip
    assert rows[1].sparsity == 0.7991


def test_the_layer_table_follows_sparsity_from_stage_to_file() -> None:
    table = data.layer_table(lying_report())
    assert table.stages == ("train", "prune", "qat")
    assert table.files == ("float32", "dynamic", "int8")
    hidden = next(row for row in table.rows if row.name == "hidden")
    assert hidden.after_stages == (0.0, 0.7991, 0.7991)
    assert hidden.in_files == pytest.approx((0.7991, 0.7998, 0.31))


def test_skipped_layers_are_named_with_the_reason() -> None:
    assert data.skip_sentences(sample_report()) == (
        "prune left logits alone: a rule of the recipe says skip",
        "qat left logits alone: a rule of the recipe says skip",
    )


def test_how_to_repeat_pins_the_versions() -> None:
    install, run = data.how_to_repeat(sample_report())
    assert "tensorflow==2.21.0" in install
    assert "tf-keras==2.21.0" in install
    assert run == "tfopt run saved_models/digits-prune-qat/20260727-141503-5f2c/recipe.yaml --fresh"


def test_the_threads_of_the_latency_are_those_of_the_timing() -> None:
    report = sample_report()
    timed = report.exports[-1].model_copy(update={"details": {"threads": 2, "latency": {"threads": 1}}})
    assert data.latency_threads(report.model_copy(update={"exports": [*report.exports[:-1], timed]})) == 1
    assert data.latency_threads(report.model_copy(update={"exports": []})) is None


def test_sizes_are_explained_where_a_model_was_pruned_or_clustered() -> None:
    report = sample_report()
    train, prune, qat = report.stages
    cluster = prune.model_copy(update={"name": "cluster", "kind": "cluster"})

    def said(*stages: StageRecord) -> str | None:
        return data.size_sentence(report.model_copy(update={"stages": list(stages)}))

    assert said(train, qat) is None
    assert said(train, prune) == (
        "Zeros do not make a file smaller, only its compressed form (gzip), which is what app stores ship."
    )
    both = said(train, prune, cluster, qat)
    assert both is not None
    assert both.startswith("Zeros and shared values do not make a file smaller")


def test_who_taught_is_told_with_what_the_teacher_is_worth():
    report = sample_report()
    lessons = (
        {"loss": "soft_labels", "sources": ["stage train"], "asked": "once", "measures": {"accuracy": 0.9}},
        {"loss": "none"},
    )
    taught = [
        stage.model_copy(update={"details": {"teacher": distiller}})
        for stage, distiller in zip(report.stages, lessons, strict=False)
    ]
    first, second = (stage.name for stage in taught[:2])
    assert data.lesson_sentences(report.model_copy(update={"stages": taught})) == (
        f"{first} was taught by stage train (accuracy 90.0%), by soft labels, asked once",
        f"{second} was taught by the moving average of its own weights, by layers only",
    )
    assert data.lesson_sentences(report) == ()
