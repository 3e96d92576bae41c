"""A SavedModel that takes raw examples: pixels, images of any size, and what a recipe says about raw values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from PIL import Image

from tests.support.contexts import Log
from tfopt.backend.data.load import load
from tfopt.backend.data.splits import Data
from tfopt.core.config.data import DataConfig
from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.export import ExportContext, ExportWorkload
from tfopt.core.records.report import ExportRecord
from tfopt.export.saved_model import SavedModel

pytestmark = pytest.mark.tf


def model(*shape: int | None, classes: int = 10, inputs: int = 1) -> tf_keras.Model:
    """A model with outputs that differ from image to image."""
    tf_keras.utils.set_random_seed(3)
    given = [tf_keras.Input(shape, name=f"picture_{number}") for number in range(inputs)]
    pooled = [tf_keras.layers.Flatten()(tf_keras.layers.AveragePooling2D(2)(one)) for one in given]
    joined = pooled[0] if inputs == 1 else tf_keras.layers.Concatenate()(pooled)
    return tf_keras.Model(given, tf_keras.layers.Dense(classes, activation="softmax", name="scores")(joined))


def write(target: SavedModel, net: tf_keras.Model, data: Data, folder: Path) -> tuple[ExportRecord, Any]:
    (folder / "export").mkdir()
    context = ExportContext(folder / "export", data, Compile(), seed=1, emit=Log())
    (record,) = target.write(net, context)
    assert record.error is None
    return record, tf.saved_model.load(str(folder / "export" / "saved_model")).signatures


def claim(record: ExportRecord) -> Any:
    (found,) = [one for one in record.claims if one.code == "preprocessing_inside"]
    return found


def test_pixels_go_into_the_served_signature(tmp_path: Path) -> None:
    data, net = load(DataConfig(source="digits")), model(8, 8, 1)
    record, signatures = write(SavedModel(include_preprocessing=True), net, data, tmp_path)
    assert claim(record).held
    assert set(signatures) == {"serving_default", "prepared"}
    spec = signatures["serving_default"].structured_input_signature[1]["picture_0"]
    assert (spec.dtype, spec.shape.as_list()) == (tf.uint8, [None, 8, 8, 1])
    pixels = np.array([[[[16]] * 8] * 8, [[[0]] * 8] * 8], np.uint8)
    scores = signatures["serving_default"](picture_0=tf.constant(pixels))["scores"]
    expected = signatures["prepared"](picture_0=tf.constant(pixels / np.float32(16)))["scores"]
    assert np.allclose(scores, expected, atol=1e-6)
    assert np.allclose(expected, net(pixels / np.float32(16)), atol=1e-6)


def test_images_of_any_size_are_resized_inside_as_pillow_did(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number, size in enumerate([(20, 31), (9, 9), (40, 12), (16, 16)] * 3):
        folder = tmp_path / "images" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(folder / f"{number}.png")
    source = DataConfig(source=str(tmp_path / "images"), args={"size": [12, 10]})
    data = load(source)
    record, signatures = write(SavedModel(include_preprocessing=True), model(12, 10, 3, classes=2), data, tmp_path)
    found = claim(record)
    assert found.held
    assert "resized and normalized inside" in found.claim
    assert "12 examples" in found.found
    spec = signatures["serving_default"].structured_input_signature[1]["picture_0"]
    assert spec.shape.as_list() == [None, None, None, 3]
    assert data.raw is not None
    assert data.raw.pairs is not None
    for raw, prepared in data.raw.pairs(4):
        inside = signatures["serving_default"](picture_0=tf.constant(raw[np.newaxis]))["scores"]
        assert np.allclose(
            inside, signatures["prepared"](picture_0=tf.constant(prepared[np.newaxis]))["scores"], atol=5e-3
        )


def own_data(tmp_path: Path) -> Data:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (60, 4, 4, 3)).astype(np.float32)
    np.savez(tmp_path / "own.npz", x=(pixels - [100, 110, 120]) / [50, 60, 70], y=np.arange(60) % 2)
    return load(DataConfig(source=str(tmp_path / "own.npz")))


def test_a_recipe_says_what_became_of_raw_values(tmp_path: Path) -> None:
    data = own_data(tmp_path)
    target = SavedModel.model_validate({"include_preprocessing": {"mean": [100, 110, 120], "std": [50, 60, 70]}})
    record, signatures = write(target, model(4, 4, 3, classes=2), data, tmp_path)
    assert claim(record).held
    assert signatures["serving_default"].structured_input_signature[1]["picture_0"].dtype == tf.uint8
    assert target.model_validate(target.model_dump(mode="json")) == target


@pytest.mark.parametrize(
    ("keys", "net", "message"),
    [
        (True, (4, 4, 3), "own.npz does not say how it made inputs of raw examples. Give"),
        ({"mean": [1, 2]}, (4, 4, 3), "has 2 numbers, but the input 'picture_0' has 3 channels"),
        ({"mean": 1}, (4, 4, 3, 2), "is for a model with one input; this one has 2: picture_0, picture_1"),
    ],
)
def test_what_cannot_be_put_inside_is_known_before_training(
    tmp_path: Path, keys: Any, net: tuple[int, ...], message: str
) -> None:
    made = model(*net[:3], inputs=net[3] if len(net) > 3 else 1)
    target = SavedModel.model_validate({"include_preprocessing": keys})
    (problem,) = target.preflight(made, ExportWorkload(data=own_data(tmp_path))).problems
    assert message in problem.message
    assert problem.path == ("include_preprocessing",)


def test_what_contradicts_the_data_source_is_refused() -> None:
    target = SavedModel.model_validate({"include_preprocessing": {"std": 255}})
    workload = ExportWorkload(data=load(DataConfig(source="digits")))
    (problem,) = target.preflight(model(8, 8, 1), workload).problems
    assert "normalizes with mean 0, std 16" in problem.message


def test_without_the_key_the_signature_takes_inputs_of_the_model(tmp_path: Path) -> None:
    assert "include_preprocessing" not in SavedModel().model_dump(mode="json")
    assert SavedModel(include_preprocessing=False).preflight(model(8, 8, 1), ExportWorkload()).problems == ()
    record, signatures = write(SavedModel(), model(8, 8, 1), load(DataConfig(source="digits")), tmp_path)
    assert set(signatures) == {"serving_default"}
    assert not [one for one in record.claims if one.code == "preprocessing_inside"]
