"""Case mixed-float16: a model that sets a global policy, through train, prune and qat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import pytest

import tfopt

pytestmark = pytest.mark.tf


def test_a_model_in_mixed_precision_goes_through_every_stage(
    shared_case: Callable[[str], Path], tmp_path: Path
) -> None:
    recipe = tfopt.load(shared_case("mixed-float16") / "recipe.yaml", {"stages.qat.epochs": 1})
    plan = tfopt.plan(recipe, out=tmp_path, trial=False)
    assert any("mixed_float16" in warning and "float32" in warning for warning in plan.warnings)
    run = tfopt.run(recipe, out=tmp_path)
    assert [(e.name, c.claim, c.found) for e in run.report.exports for c in e.claims if not c.held] == []
    for export in run.report.exports:
        assert export.measures["accuracy"] > 0.6, export.name
        assert export.measures["agreement"] > 0.9, export.name
    int8 = run.export("int8")
    assert int8.audit is not None
    assert int8.audit.float_operators == {}
    restored = keras.models.load_model(run.path("keras"))
    assert restored.layers[1].dtype_policy.name == "mixed_float16", "given back as it was"
    assert keras.config.dtype_policy().name == "float32"
