"""Where accuracy went, in the terminal."""

from __future__ import annotations

from tests.support.console import printed
from tests.support.sample_explanation import regression_explanation, sample_explanation
from tfopt.report.shared.explanation_text import advice_text, explanation_text


def test_the_terminal_names_examples_classes_layers_and_rules() -> None:
    shown = printed(explanation_text(sample_explanation(), "int8.tflite"))
    flat = " ".join(shown.split())
    assert "3 of 360 predictions on the test split differ from those of model.keras: 2 lost, 1 gained." in flat
    assert "Class eight loses most: 97.1% to 91.4%." in flat
    assert "17 eight eight (0.61) three (0.52) wrong" in flat
    assert "31.2 dB" in flat
    assert "Keep 1 layer in float to reach int8.accuracy_drop of at most 1%." in flat
    assert "Measured with a file made so: accuracy 97.0%, agreement 99.0%, error 2.00%, 23.0 kB; reached." in flat
    assert "- {match: logits, quantize: none}" in flat


def test_regression_has_no_verdicts() -> None:
    flat = " ".join(printed(explanation_text(regression_explanation(), "int8.tflite")).split())
    assert "The examples whose outputs differ most from those of model.keras:" in flat
    assert "wrong" not in flat


def test_advice_alone_is_short() -> None:
    table = sample_explanation().sensitivity
    assert table is not None
    assert "Predicted: accuracy 97.0%" in printed(advice_text(table))
    assert advice_text(table.model_copy(update={"advice": None})) == []
