"""Case power-before-concat: an operator without an integer kernel whose result is joined with rounded ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tfopt

pytestmark = pytest.mark.tf


def test_the_operator_is_named_in_the_plan_and_the_file_is_made(
    shared_case: Callable[[str], Path], tmp_path: Path
) -> None:
    short = {"stages.train.epochs": 1, "stages.qat.epochs": 1}
    recipe = tfopt.load(shared_case("power-before-concat") / "recipe.yaml", short)
    plan = tfopt.plan(recipe, out=tmp_path, trial=False)
    assert any("power" in warning and "POW" in warning for warning in plan.warnings)
    run = tfopt.run(recipe, out=tmp_path)
    int8 = run.export("int8")
    assert int8.error is None
    assert int8.audit is not None
    assert int8.audit.float_operators["POW"] == 1
    claims = {claim.code: claim for claim in int8.claims}
    assert claims["integer_only"].held, claims["integer_only"].found
    assert claims["runs_on_kernels"].held
    assert {tensor.dtype for tensor in int8.audit.tensors if tensor.role == "weight"} == {"int8"}
