"""The table of several outputs."""

from __future__ import annotations

from tfopt.report.run.outputs import _row


def test_a_row_has_the_values_of_its_output_only() -> None:
    measures = {
        "loss": 1.0,
        "a_loss": 0.5,
        "a_accuracy": 0.97,
        "a_accuracy_drop": 0.01,
        "a_agreement": 0.99,
        "a_b_mae": 0.25,
        "a_b_relative_error": 0.031,
        "a_b_within_quantum": 1.0,
    }
    names = ("a", "a_b")
    assert _row("int8", "a", measures, names).cells == ("int8", "a", "accuracy 97.0% (drop 1.0%)", "equal 99.0%", "")
    assert _row("int8", "a_b", measures, names).cells == ("int8", "a_b", "mae 0.25", "error 3.1%", "100.0%")
