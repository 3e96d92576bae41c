"""Case tile: LiteRT's reference kernels lack TILE, which is no fault of the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tfopt

pytestmark = pytest.mark.tf


def test_a_missing_kernel_breaks_no_claim_and_is_told(shared_case: Callable[[str], Path], tmp_path: Path) -> None:
    short = {"stages.train.epochs": 2, "stages.qat.epochs": 1, "export.tflite.int8.agreement": "80%"}
    run = tfopt.run(tfopt.load(shared_case("tile") / "recipe.yaml", short), out=tmp_path)
    for name in ("float32", "int8"):
        export = run.export(name)
        assert [(claim.claim, claim.found) for claim in export.claims if not claim.held] == []
    (kernels,) = [claim for claim in run.export("int8").claims if claim.code == "runs_on_kernels"]
    assert "LiteRT's reference kernels lack TILE" in kernels.found
    assert kernels.claim == "runs on XNNPACK and on the built-in kernels, with the same outputs"
    assert run.exit_code == 0
