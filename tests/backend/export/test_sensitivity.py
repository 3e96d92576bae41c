"""`sensitivity: true` finds a spoiled value between two layers, and its rules repair the file; so does `inspect`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.contexts import export_context
from tests.support.exporting import Exported
from tests.support.tflite_files import two_layers
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.export import tflite
from tfopt.backend.export.against import Comparison, compare
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.records.explanation import ExplanationRecord
from tfopt.errors import ExportError, UsageError

pytestmark = pytest.mark.tf

SPOILED = Variant(quantize="int8", calibration=64, agreement=0.97, sensitivity=True)


def spoiled_model() -> Any:
    """One channel between `wide` and `reader` is 200 times larger than the others, and nobody uses it: the scale that
    it needs rounds the others away."""
    import tf_keras

    layers = tf_keras.layers
    tf_keras.utils.set_random_seed(0)
    inputs = tf_keras.Input((8,), name="x")
    hidden = layers.Dense(12, activation="relu", name="first")(inputs)
    hidden = layers.Dense(12, activation="relu", name="wide")(hidden)
    hidden = layers.Dense(12, activation="relu", name="reader")(hidden)
    model = tf_keras.Model(inputs, layers.Dense(4, activation="softmax", name="classes")(hidden), name="net")
    for name in ("wide", "reader"):
        kernel, bias = model.get_layer(name).get_weights()
        if name == "wide":
            bias[0] = 200.0
        else:
            kernel[0] = 0.0
        model.get_layer(name).set_weights([kernel, bias])
    return model


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    model = spoiled_model()
    inputs = np.random.RandomState(0).uniform(-1, 1, (320, 8)).astype(np.float32)
    labels = model.predict(inputs, verbose=0).argmax(axis=1).astype(np.int32)
    splits = [Split(inputs[part], labels[part]) for part in (slice(0, 120), slice(120, 220), slice(220, 320))]
    data = Data(*splits, source="test", num_classes=4)
    events: list[Mapping[str, Any]] = []
    context = export_context(tmp_path_factory.mktemp("run") / "export", data, events)
    records = tflite.export(model, {"int8": SPOILED}, context)
    return Exported(model, context, events, {record.name: record for record in records})


def explanation(exported: Exported) -> ExplanationRecord:
    found = exported.records["int8"].explanation
    assert found is not None
    return found


def test_changed_predictions_are_those_that_disagree(spoiled: Exported) -> None:
    found = explanation(spoiled)
    agreement = spoiled.records["int8"].measures["agreement"]
    assert found.changed == len(found.indices) == round((1 - agreement) * 100)
    assert found.lost == found.changed
    assert found.gained == 0
    assert sum(one.examples for one in found.classes) == 100
    assert all(one.before == 1.0 for one in found.classes)
    assert len(found.shown) == min(8, found.changed or 0)


def test_errors_of_layers_are_in_the_order_of_the_network(spoiled: Exported) -> None:
    errors = explanation(spoiled).layers
    assert [error.layer for error in errors] == ["first", "wide", "reader", "classes"]
    by_layer = {error.layer: error for error in errors}
    assert by_layer["first"].sqnr_db is not None
    assert by_layer["reader"].sqnr_db is not None
    assert by_layer["first"].sqnr_db > by_layer["reader"].sqnr_db + 10
    assert by_layer["classes"].relative_error < 0.5  # of its probabilities, not of what is before the softmax


def test_the_advice_is_the_two_layers_around_the_spoiled_value_and_works(spoiled: Exported) -> None:
    table = explanation(spoiled).sensitivity
    assert table is not None
    assert (table.split, table.examples, table.weights) == ("validation", 100, "model")
    assert {row.layer for row in table.layers[:2]} == {"wide", "reader"}
    advice = table.advice
    assert advice is not None
    assert advice.reached
    assert sorted(advice.layers) == ["reader", "wide"]
    assert advice.predicted is not None
    assert advice.measured is not None
    assert advice.measured.agreement == pytest.approx(advice.predicted.agreement, abs=0.02)
    assert advice.measured.error == pytest.approx(advice.predicted.error, rel=0.5, abs=0.01)
    assert advice.measured.bytes == pytest.approx(advice.predicted.bytes, rel=0.2)


def test_progress_is_told(spoiled: Exported) -> None:
    told = [event for event in spoiled.events if event["event"] == "sensitivity"]
    assert told[-1]["done"] == told[-1]["total"] == 9


def asked(exported: Exported, against: Path, file: Path | None = None, sensitivity: bool = False) -> Comparison:
    return Comparison(
        file or exported.file("int8"), against, "int8", SPOILED, exported.context, sensitivity=sensitivity
    )


def test_inspect_finds_the_same_as_the_run(spoiled: Exported, tmp_path: Path) -> None:
    spoiled.model.save(tmp_path / "net.keras")
    found = compare(asked(spoiled, tmp_path / "net.keras"))
    expected = explanation(spoiled)
    assert found.against == "net.keras"
    assert found.indices == expected.indices
    assert [error.layer for error in found.layers] == [error.layer for error in expected.layers]
    assert found.sensitivity is None


def test_inspect_against_a_tflite_names_tensors(spoiled: Exported) -> None:
    found = compare(asked(spoiled, spoiled.file("int8"), sensitivity=True))
    assert found.changed == 0
    assert {error.max_error for error in found.layers} == {0.0}
    assert "matched by the names of tensors" in found.notes[0]
    assert found.sensitivity is not None
    assert found.sensitivity.advice is not None
    assert found.sensitivity.advice.measured is None


def test_inspect_refuses_what_is_no_tflite(spoiled: Exported, tmp_path: Path) -> None:
    spoiled.model.save(tmp_path / "net.keras")
    with pytest.raises(UsageError, match=r"is no \.tflite"):
        compare(asked(spoiled, tmp_path / "net.keras", tmp_path / "net.keras"))


def test_inspect_refuses_a_file_of_other_data(spoiled: Exported, tmp_path: Path) -> None:
    other = two_layers.float_file(tmp_path / "other.tflite")
    with pytest.raises(ExportError, match="takes examples of shape 4, but those of the data have 8"):
        compare(asked(spoiled, spoiled.file("int8"), other))
