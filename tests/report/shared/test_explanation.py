"""Rows and sentences about where accuracy went."""

from __future__ import annotations

from tests.support.sample_explanation import BETTER, FILE, sample_explanation
from tfopt.core.records.explanation import AdviceRecord, ExplanationRecord
from tfopt.report.shared import explanation as rows


def test_the_layer_in_which_most_of_the_error_arises_is_marked() -> None:
    assert [row.worst for row in rows.error_rows(sample_explanation().layers)] == [False, True]


def test_changes_are_against_the_model_and_against_the_file() -> None:
    table = sample_explanation().sensitivity
    assert table is not None
    first = rows.sensitivity_rows(table)[0]
    assert (first.alone, first.alone_error, first.in_float, first.in_float_error) == (
        "-2.5 points", "8.00%", "+2.0 points", "2.00%",
    )  # fmt: skip
    assert first.bytes == "+2.00 kB"


def test_a_layer_that_costs_nothing_has_no_row() -> None:
    table = sample_explanation().sensitivity
    assert table is not None
    exact = table.layers[1].model_copy(update={"alone": BETTER.model_copy(update={"error": 0.0}), "in_float": FILE})
    assert [row.layer for row in rows.sensitivity_rows(table.model_copy(update={"layers": [exact]}))] == []


def test_only_classes_that_changed_have_rows_the_worst_first() -> None:
    assert [(row.name, row.change) for row in rows.class_rows(sample_explanation())] == [
        ("eight", "-5.7 points"), ("one", "+2.0 points"),
    ]  # fmt: skip


def test_no_change_is_said() -> None:
    same = ExplanationRecord(against="m", split="test", examples=10, changed=0)
    assert rows.prediction_sentences(same) == ["All 10 predictions on the test split equal those of m."]
    assert rows.summary(same) == "no prediction changed"
    several = ExplanationRecord(against="m", split="test", examples=3, notes=["it has several outputs"])
    assert rows.summary(several) == "see the notes"


def test_advice_without_rules_says_why() -> None:
    fine = AdviceRecord(target="x", reached=True)
    assert rows.advice_sentences(fine, "accuracy") == ["No layer needs to stay in float: the file reaches x."]
    hopeless = AdviceRecord(target="x", reached=False, reason="nothing helps", predicted=FILE)
    assert rows.advice_sentences(hopeless, "accuracy") == [
        "No set of layers in float was found that reaches x: nothing helps "
        "(accuracy 95.0%, agreement 96.0%, error 8.00%, 21.0 kB)."
    ]
    unmeasured = AdviceRecord(target="x", reached=True, layers=["a"], predicted=BETTER, reason="it crashed")
    assert rows.advice_sentences(unmeasured, "accuracy")[-1] == "Not measured: it crashed."
