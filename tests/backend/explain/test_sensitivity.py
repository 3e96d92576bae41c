"""The layer with coarse weights is the sensitive one, and the advice names it alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from tests.support.tflite_files import two_layers
from tfopt.backend.explain.advice import advise, pattern, rules
from tfopt.backend.explain.judge import Judge
from tfopt.backend.explain.sensitivity import Sensitivity, Subject, sensitivity
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.core.claims.targets import Target
from tfopt.core.config.budgets import Budget
from tfopt.core.config.files.file_rules import FileRule
from tfopt.core.config.training.compile import Compile
from tfopt.errors import ExportError

pytestmark = pytest.mark.tf

REGRESSION = Compile.model_validate({"loss": "mse", "metrics": ["mae"]})


def subject(folder: Path, file: Path, names: list[str]) -> Subject:
    np.save(folder / "x.npy", two_layers.EXAMPLES)
    expected = two_layers.expected()
    return Subject(
        file,
        {"x": folder / "x.npy"},
        Judge(expected, expected, REGRESSION),
        "validation",
        LayerNames(names),
        dict.fromkeys(names, "Dense"),
        two_layers.float_file(folder / "float.tflite"),
        (),
        folder,
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Sensitivity:
    folder = tmp_path_factory.mktemp("sensitivity")
    return sensitivity(subject(folder, two_layers.int8_file(folder / "int8.tflite", steps=2), ["first", "second"]))


def target(error: float) -> Target:
    """Only the error of the outputs counts: the budget on the metric is always met."""
    return Target((Budget("int8", "mae", 1e9, at_least=False),), "mae", 0.0, most_error=error)


def test_the_layer_with_coarse_weights_costs_most(measured: Sensitivity) -> None:
    first, second = measured.table.layers
    assert (first.layer, first.type, second.layer) == ("first", "Dense", "second")
    assert first.in_float is not None
    assert second.in_float is not None
    assert first.alone is not None
    assert second.alone is not None
    assert first.in_float.error < measured.table.file.error / 2
    assert second.in_float.error == pytest.approx(measured.table.file.error, rel=0.3)
    assert first.alone.error > 3 * second.alone.error
    assert first.in_float.bytes > measured.table.file.bytes
    assert measured.table.weights == "model"
    assert measured.table.model == 0


def test_the_advice_names_it_alone(measured: Sensitivity) -> None:
    enough = measured.table.file.error / 2
    advice = advise(measured, target(enough), None)
    assert advice.reached
    assert advice.rules == "layers:\n  - {match: first, quantize: none}"
    assert advice.predicted == measured.table.layers[0].in_float
    assert advice.measured is None


def test_a_file_that_is_good_enough_gets_no_rules(measured: Sensitivity) -> None:
    advice = advise(measured, target(10.0), None)
    assert (advice.reached, advice.layers) == (True, [])


def test_what_cannot_be_reached_is_said(measured: Sensitivity) -> None:
    advice = advise(measured, target(1e-9), None)
    assert not advice.reached
    assert advice.layers == []
    assert "not even with the 2 layers" in advice.reason


def test_a_measurement_below_the_target_asks_for_more_layers(measured: Sensitivity) -> None:
    worse = measured.table.file
    better = worse.model_copy(update={"error": 0.0})
    asked: list[list[str]] = []

    def measure(layers: object) -> object:
        asked.append(list(layers))  # type: ignore[call-overload]
        return worse if len(asked) == 1 else better

    advice = advise(measured, target(worse.error / 2), measure)  # type: ignore[arg-type]
    assert [sorted(layers) for layers in asked] == [["first"], ["first", "second"]]
    assert advice.measured == better


def test_without_a_twin_layers_keep_their_rounded_weights(tmp_path: Path) -> None:
    file = two_layers.int8_file(tmp_path / "int8.tflite", steps=2)
    found = sensitivity(replace(subject(tmp_path, file, ["first", "second"]), twin=None))
    assert found.table.weights == "file"
    assert min(row.in_float.error for row in found.table.layers if row.in_float) > found.table.file.error / 2


def test_a_float_file_has_no_sensitivity(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="has no quantized layer"):
        sensitivity(subject(tmp_path, two_layers.float_file(tmp_path / "f.tflite"), ["first"]))


def test_names_become_patterns_that_match_only_them() -> None:
    assert pattern("block-1/conv_2") == "block-1/conv_2"
    assert pattern("conv(1)") == r"conv\(1\)"
    assert rules(["block-1"]) == "layers:\n  - {match: 'block-1', quantize: none}"


def test_rules_of_the_file_stay_before_those_of_the_advice() -> None:
    text = rules(["b"], [FileRule.model_validate({"type": "Dense", "quantize": "none"})])
    assert text == "layers:\n  - {match: '.*', type: Dense, quantize: none}\n  - {match: b, quantize: none}"


@pytest.mark.parametrize("name", ["null", "it's", "block-1", "a.b"])
def test_rules_are_read_back_as_they_are_meant(name: str) -> None:
    (rule,) = YAML(typ="safe").load(rules([name]))["layers"]
    assert FileRule.model_validate(rule).applies_to(name, "Dense")
