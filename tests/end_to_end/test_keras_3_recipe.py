"""A recipe whose model is written in Keras 3: trained, pruned, quantized, and given back as a Keras 3 file."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import tfopt
from tfopt.backend.data import load as data
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.run import Run

pytestmark = pytest.mark.tf

RECIPE = """
name: keras-3
seed: 3
data: {source: digits, batch_size: 64}
model: {source: "tests.support.networks.keras3_models:images"}
compile: {optimizer: {name: adam, learning_rate: 4e-3}}
stages:
  - train: {epochs: 8}
  - prune: {epochs: 4, schedule: {kind: polynomial, final: 70%}}
export:
  keras: {}
  tflite:
    int8: {quantize: int8, io: int8}
"""


def recipe_in(folder: Path) -> Recipe:
    path = folder / "recipe.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return tfopt.load(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keras-3")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return tfopt.run(recipe_in(folder), out=folder / "saved_models")


def test_every_claim_holds(run: Run) -> None:
    assert [(e.name, c.claim, c.found) for e in run.report.exports for c in e.claims if not c.held] == []
    assert run.report.stages[-1].measures["accuracy"] > 0.8
    assert run.report.stages[-1].measures["sparsity"] > 0.6
    assert run.export("keras").measures["agreement"] == 1.0
    assert run.export("int8").measures["accuracy"] > 0.8


def test_the_keras_file_is_of_keras_3_and_as_sparse_as_the_model(run: Run) -> None:
    path = run.path("keras")
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("metadata.json"))["keras_version"] == keras.__version__
    model = keras.models.load_model(path)
    kernels = [weight.numpy() for weight in model.weights if weight.path.endswith("kernel")]
    zeros = sum(np.sum(kernel == 0) for kernel in kernels) / sum(kernel.size for kernel in kernels)
    assert zeros == pytest.approx(run.report.stages[-1].measures["sparsity"], abs=0.02)
    test = data.load(tfopt.load(run.folder / "recipe.yaml").data).test
    accuracy = np.mean(np.argmax(model.predict(test.inputs, verbose=0), -1) == test.targets)
    assert accuracy == pytest.approx(run.export("keras").measures["accuracy"], abs=1e-6)


def test_nothing_is_trained_again(run: Run, folder: Path) -> None:
    keras.layers.Dense(2)
    heard: list[dict[str, Any]] = []
    longer = recipe_in(folder).with_overrides({"export.tflite.int8.io": "float32"})
    again = tfopt.run(longer, out=folder / "saved_models", on_event=lambda event: heard.append(dict(event)))
    assert [stage.cached for stage in again.report.stages] == [True, True]
    assert again.path("keras").read_bytes() == run.path("keras").read_bytes()
