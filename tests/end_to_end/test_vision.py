"""The recipes of segmentation and detection: train, prune, qat, int8, judged from the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tfopt
from tests.support.root import REPOSITORY

pytestmark = pytest.mark.tf

FEW = {"stages.train.epochs": 1, "stages.prune.epochs": 1, "stages.prune.batch_size": 4, "stages.qat.epochs": 1}
SIZES = {"data.args.train": 40, "data.args.test": 12, "data.args.size": 32}
INSIDE = {"export.tflite.int8.detections": {"least_score": 0.1}}
SHALLOW = {"data.args.strides": [4, 8], "model.args.alpha": 0.125}
"""Five blocks of MobileNet in place of eleven."""


@pytest.mark.parametrize(
    ("name", "changes", "metric", "least"),
    [
        ("scenes_unet_prune_qat", {**FEW, **SIZES, "model.args.filters": [4, 6]}, "mean_iou", 0.0),
        ("scenes_ssd_prune_qat", {**FEW, **SIZES, **SHALLOW, **INSIDE}, "mean_average_precision", 0.0),
        pytest.param("scenes_unet_prune_qat", {}, "mean_iou", 0.4, marks=pytest.mark.slow),
        pytest.param("scenes_ssd_prune_qat", INSIDE, "mean_average_precision", 0.3, marks=pytest.mark.slow),
    ],
)
def test_the_recipe_ends_in_an_int8_file_that_is_measured(
    name: str, changes: dict[str, Any], metric: str, least: float, tmp_path: Path
) -> None:
    recipe = tfopt.load(REPOSITORY / "recipes" / f"{name}.yaml")
    run = tfopt.run(recipe.with_overrides({**changes, "budgets": {}}), out=tmp_path)
    for file in ("float32", "int8"):
        assert 1 >= run.export(file).measures[metric] >= least
    same = [claim for claim in run.export("float32").claims if claim.code == "same_outputs"]
    assert same
    assert all(claim.held for claim in same), [claim.found for claim in same]
    inside = [claim for claim in run.export("int8").claims if claim.code == "same_detections"]
    assert len(inside) == ("ssd" in name)
    assert all(claim.held for claim in inside), [claim.found for claim in inside]
    assert run.report.stages[1].measures["sparsity"] >= 0.45
    audit = run.export("int8").audit
    assert audit is not None
    scales = [output.scale for output in audit.outputs if output.scale]
    assert len(set(scales)) == len(scales)
    if not changes:
        assert [(e.name, c.found) for e in run.report.exports for c in e.claims if not c.held] == []
