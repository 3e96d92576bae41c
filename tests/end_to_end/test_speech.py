"""Folders of WAV files, from training to files that take samples, and what they leave for an app."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import tfopt
from tests.support.recipes import known
from tests.support.wav_files import tones
from tfopt.core.recipe.recipe import Recipe, build_recipe
from tfopt.core.records.report import ExportRecord

pytestmark = [pytest.mark.tf, pytest.mark.slow]

CLASSES = {"low": 300.0, "middle": 900.0, "high": 2500.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tones(tmp_path_factory.mktemp("tones"), CLASSES, 40)


def recipe(folder: Path, args: dict[str, Any], model: dict[str, Any], export: dict[str, Any], epochs: int) -> Recipe:
    document = {
        "name": "tones",
        "data": {"source": str(folder), "args": {"seconds": 0.4, "bands": 20, **args}, "batch_size": 16},
        "model": model,
        "compile": {
            "optimizer": {"name": "adam", "learning_rate": 1e-2},
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
        },
        "stages": [{"train": {"epochs": epochs}}, {"qat": {"epochs": 1, "learning_rate": 1e-3}}],
        "export": export,
    }
    return build_recipe(document, known())


def broken(exports: list[ExportRecord]) -> list[str]:
    return [f"{one.name}: {claim.claim}: {claim.found}" for one in exports for claim in one.claims if not claim.held]


def test_features_of_the_data_travel_with_the_model(folder: Path, tmp_path: Path) -> None:
    export = {
        "saved_model": {"include_preprocessing": True},
        "tflite": {"int8": {"quantize": "int8", "io": "int8"}},
        "bundle": {},
    }
    model = {"source": "speech_ds_cnn", "args": {"filters": 8, "blocks": 1}}
    run = tfopt.run(recipe(folder, {"features": "mfcc"}, model, export, 8), out=tmp_path)
    assert broken(run.report.exports) == []
    files = {one.name: one for one in run.report.exports}
    assert files["int8"].measures["accuracy"] > 0.8
    assert files["int8"].audit is not None
    assert files["int8"].audit.float_operators == {}
    # A server gives the samples of a recording to the SavedModel, and nothing else.
    serve = tf.saved_model.load(str(run.folder / "export" / "saved_model")).signatures["serving_default"]
    (shape,) = [spec.shape for spec in serve.structured_input_signature[1].values()]
    assert shape.as_list() == [None, 3200]
    settings = json.loads((run.folder / "export" / "bundle" / "audio.json").read_text())
    assert (settings["sample_rate"], settings["coefficients"]) == (8000, 10)
    raw = np.load(run.folder / "export" / "bundle" / "golden" / "raw.npy")
    assert raw.shape[1:] == (1, 3200)


def test_features_inside_of_the_model_stay_float_and_accurate(folder: Path, tmp_path: Path) -> None:
    export = {"tflite": {name: {"quantize": name} for name in ("int8", "dynamic", "int16x8")}}
    model = {"source": "speech_transformer", "args": {"width": 16, "heads": 2, "blocks": 1, "features": "log_mel"}}
    asked = recipe(folder, {"features": "samples"}, model, export, 8)
    warnings = tfopt.plan(asked, out=tmp_path).warnings
    assert any("features (AudioFeatures): TFLite has no integer Fourier transform" in text for text in warnings)
    run = tfopt.run(asked, out=tmp_path)
    for file in run.report.exports:
        assert file.measures["accuracy"] > 0.8
        assert file.measures["agreement"] > 0.9
        assert file.audit is not None
        assert "RFFT2D" in file.audit.operators
