"""Case dense-batch-norm: the batch normalization behind each Dense layer of an autoencoder, inputs without bounds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tfopt

pytestmark = pytest.mark.tf


def test_simulation_and_file_agree_and_nothing_is_float(shared_case: Callable[[str], Path], tmp_path: Path) -> None:
    run = tfopt.run(shared_case("dense-batch-norm") / "recipe.yaml", out=tmp_path)
    (export,) = run.report.exports
    assert [claim.claim for claim in export.claims if not claim.held] == []
    assert export.audit is not None
    assert not {"DEQUANTIZE", "QUANTIZE"} & set(export.audit.operators)
    assert export.measures["within_quantum"] >= 0.99
    simulation = export.simulation
    assert simulation is not None
    assert not simulation.worse_than_plain
    # One epoch more of training makes the error smaller; it must not make it larger.
    assert export.measures["mae"] <= 1.02 * simulation.plain["mae"]
