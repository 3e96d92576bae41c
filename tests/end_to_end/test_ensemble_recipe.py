"""A recipe with an ensemble: members are trained, joined, quantized, exported as one file, and proven."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tfopt
from tfopt.backend.artifacts import external_models
from tfopt.backend.data.datasets import digits

pytestmark = pytest.mark.tf

RECIPE = """
name: together
seed: 1
data: {source: digits, batch_size: 64}
model: {source: mlp, args: {units: [32]}}
compile: {optimizer: {name: adam, learning_rate: 1e-2}}
stages:
  - train: {epochs: 3}
  - prune: {epochs: 2, schedule: {kind: constant, final: 50%, end: 60%}}
  - ensemble: {seeds: 2, combine: COMBINE}
export:
  saved_model: {}
  keras: {}
  tflite: {float32: {}, int8: {quantize: int8, io: int8}}
"""


def recipe(folder: Path, combine: str) -> Path:
    path = folder / f"{combine}.yaml"
    path.write_text(RECIPE.replace("COMBINE", combine))
    return path


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store, so that the members are trained once."""
    return tmp_path_factory.mktemp("ensemble")


@pytest.mark.timeout(600)
def test_members_from_seeds_become_one_file_that_keeps_their_zeros(out: Path, tmp_path: Path) -> None:
    run = tfopt.run(recipe(tmp_path, "probabilities"), out=out)
    assert run.ok, run.report
    before, after = run.report.stages[1:]
    zeros = {layer.name: layer.sparsity for layer in after.layers}
    for layer in before.layers:
        assert zeros[layer.name] == layer.sparsity
        assert zeros[f"member2_{layer.name}"] == pytest.approx(layer.sparsity, abs=0.01)
    assert list(after.sources) == ["seed 2"]
    assert after.measures["loss"] < before.measures["loss"]

    # The one file answers as the files of its two members do on average.
    files = [external_models.load_file(run.path("float32"))]
    only_float32 = tfopt.load(recipe(tmp_path, "probabilities"), {"export": {"tflite": {"float32": {}}}}).export
    for seed in (1, 2):
        alone = tfopt.load(recipe(tmp_path, "probabilities"), {"seed": seed, "name": f"alone{seed}"})
        kept = {stage.name: stage for stage in alone.stages}
        alone = alone.model_copy(update={"stages": (kept["train"], kept["prune"]), "export": only_float32})
        files.append(external_models.load_file(tfopt.run(alone, out=out).path("float32")))
    images, _ = digits.load()
    examples = images[:40]
    joined, *members = [file.predict(examples) for file in files]
    np.testing.assert_allclose(joined, np.mean(members, axis=0), atol=1e-5)


@pytest.mark.timeout(600)
def test_a_vote_is_exported_and_quantized(out: Path, tmp_path: Path) -> None:
    int8 = {"export": {"tflite": {"int8": {"quantize": "int8", "io": "int8"}}}}
    run = tfopt.run(tfopt.load(recipe(tmp_path, "vote"), int8), out=out)
    assert run.ok, run.report
