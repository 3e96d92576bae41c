"""Case uint8-input: pixels as bytes, made numbers inside the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tfopt

pytestmark = pytest.mark.tf


def test_claims_about_types_are_right_and_the_cast_is_foreseen(
    shared_case: Callable[[str], Path], tmp_path: Path
) -> None:
    short = {"stages.train.epochs": 3, "stages.qat.epochs": 1, "export.tflite.int8.agreement": "80%"}
    recipe = tfopt.load(shared_case("uint8-input") / "recipe.yaml", short)
    plan = tfopt.plan(recipe, out=tmp_path, trial=False)
    assert any("cast" in warning and "CAST" in warning for warning in plan.warnings)
    run = tfopt.run(recipe, out=tmp_path)
    for export in run.report.exports:
        assert [(claim.claim, claim.found) for claim in export.claims if not claim.held] == []
    for name in ("float32", "int8"):
        audit = run.export(name).audit
        assert audit is not None
        assert [port.dtype for port in audit.inputs] == ["uint8"]
    (types,) = [claim for claim in run.export("float32").claims if claim.code == "io_dtype"]
    assert types.claim == "inputs and outputs are float32, except for 'camera', which is uint8 in the model"
    assert run.exit_code == 0
