"""Cases custom-pooling-embedding, registered-function-file and own-layer-norm: the recipe's own code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tfopt
from tests.support.children.plain_keras import run_plain_keras
from tfopt.core.records.report import ExportRecord

pytestmark = pytest.mark.tf


def broken(export: ExportRecord) -> list[str]:
    return [f"{claim.claim}: {claim.found}" for claim in export.claims if not claim.held]


def test_a_class_in_a_module_beside_the_recipe_works_in_every_export(
    shared_case: Callable[[str], Path], tmp_path: Path
) -> None:
    few = {"stages.train.epochs": 1, "stages.qat.epochs": 1}
    run = tfopt.run(tfopt.load(shared_case("custom-pooling-embedding") / "recipe.yaml", few), out=tmp_path)
    exports = {export.name: export for export in run.report.exports}
    assert list(exports) == ["keras", "float32", "int8"]
    assert broken(exports["keras"]) == []
    assert broken(exports["float32"]) == []
    assert {layer.type for layer in run.report.stages[-1].layers} >= {"GeM", "Conv2D"}


def test_registered_functions_and_classes_of_a_file_are_found(
    shared_case: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shared_case("registered-function-file")
    run_plain_keras((folder / "objects.py").read_text(encoding="utf-8"), folder)
    few = {"stages.train.epochs": 1, "stages.prune.epochs": 2}
    run = tfopt.run(tfopt.load(folder / "recipe.yaml", few), out=tmp_path)
    assert [broken(export) for export in run.report.exports] == [[], []]
    layers = {layer.name: layer for layer in run.report.stages[1].layers}
    assert layers["dense"].type == "Dense"
    assert layers["dense"].sparsity == pytest.approx(0.5, abs=0.01)


@pytest.mark.slow  # in CI: tests/backend/bridge/test_own_layer.py
def test_a_layer_normalization_of_ones_own_holds_in_int8(shared_case: Callable[[str], Path], tmp_path: Path) -> None:
    recipe = tfopt.load(shared_case("own-layer-norm") / "recipe.yaml", {"stages.train.epochs": 3})
    run = tfopt.run(recipe, out=tmp_path)
    types = {layer.name: layer.type for layer in run.report.stages[-1].layers}
    assert "LayerNormalization" in types.values()
    int8 = run.report.exports[-1]
    for claim in broken(int8):
        assert "most of the difference arises in" in claim or "kernels" in claim
