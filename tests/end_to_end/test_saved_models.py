"""A SavedModel without Keras layers becomes proven files; what needs layers is refused before it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import tfopt
from tests.support.console import printed
from tests.support.recipes import known
from tfopt.core.recipe.recipe import Recipe, build_recipe
from tfopt.errors import RecipeError
from tfopt.report.plan.text import doctor_text

pytestmark = pytest.mark.tf


class Digits(tf.Module):
    """Two layers on images of digits, written with TensorFlow alone."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self.hidden = tf.Variable(random.normal(0, 0.2, (64, 16)).astype(np.float32))
        self.head = tf.Variable(random.normal(0, 0.5, (16, 10)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), name="image")])
    def serve(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        states = tf.nn.relu(tf.reshape(image, (-1, 64)) @ self.hidden)
        return {"digit": tf.nn.softmax(states @ self.head)}

    @tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 1), name="image")])
    def one(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.serve(image)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, model = tmp_path_factory.mktemp("bare"), Digits()
    tf.saved_model.save(model, folder / "digits", signatures={"serving_default": model.serve, "one": model.one})
    return folder


def recipe(folder: Path, stages: list[Any], **changed: Any) -> Recipe:
    modes = {"float32": None, "half": {"quantize": "float16"}, "dynamic": {"quantize": "dynamic"},
             "int8": {"quantize": "int8", "calibration": 64, "agreement": "80%"}}  # fmt: skip
    document = {
        "name": "bare",
        "data": {"source": "digits"},
        "model": {"source": str(folder / "digits")},
        "stages": stages,
        "export": {"saved_model": None, "tflite": modes},
    }
    return build_recipe({**document, **changed}, known())


def test_a_saved_model_is_converted_as_it_is(folder: Path, tmp_path: Path) -> None:
    asked = recipe(folder, [])
    plan = tfopt.plan(asked, tmp_path)
    run = tfopt.run(asked, out=tmp_path)
    assert run.ok, [claim for record in run.report.exports for claim in record.claims if not claim.held]
    accuracy = {record.name: record.measures["accuracy"] for record in run.report.exports}
    assert set(accuracy) == {"saved_model", "float32", "half", "dynamic", "int8"}
    assert max(accuracy.values()) - min(accuracy.values()) < 0.1
    for record, file in zip(run.report.exports[1:], plan.files, strict=True):
        assert record.audit is not None
        assert record.audit.operators == file.operators
        assert [port.name for port in (*record.audit.inputs, *record.audit.outputs)] == ["image", "digit"]
    (row, *_) = plan.layers
    assert row.operators is not None
    assert "FULLY_CONNECTED" in row.operators
    assert (row.type, row.parameters) == ("SavedModelLayer", 64 * 16 + 160)


def test_a_signature_for_one_example_is_converted_and_measured(folder: Path, tmp_path: Path) -> None:
    source = {"source": str(folder / "digits"), "args": {"signature": "one"}}
    run = tfopt.run(recipe(folder, [], model=source, export={"tflite": {"float32": None}}), out=tmp_path)
    (record,) = run.report.exports
    assert run.ok
    assert record.audit is not None
    assert record.audit.inputs[0].shape == [1, 8, 8, 1]
    assert set(record.audit.operators) <= {"FULLY_CONNECTED", "RESHAPE", "SOFTMAX"}


@pytest.mark.parametrize(
    "stage", [{"train": {"epochs": 1}}, {"qat": {"epochs": 1}}, {"cluster": {"epochs": 1, "clusters": 8}}]
)
def test_stages_and_exports_that_need_layers_are_refused_before_they_run(
    stage: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    (kind,) = stage
    asked = recipe(folder, [stage], export={"keras": None})
    with pytest.raises(RecipeError, match=f"{kind} cannot work: .*bare TensorFlow operations") as raised:
        tfopt.plan(asked, tmp_path)
    assert {problem.code for problem in raised.value.problems} == {"no_layers"}
    assert "export.keras cannot be written" in str(raised.value)


def test_doctor_shows_one_row(folder: Path) -> None:
    found = tfopt.doctor(str(folder / "digits"))
    assert [row.type for row in found.layers if row.parameters] == ["SavedModelLayer"]
    assert not any(file.refused for file in found.files)
    shown = printed(doctor_text(found.environment, (), found.layers, found.files, 200), 200)
    assert "not pruned: a SavedModel without Keras layers is converted as it is" in shown
