"""A recipe for microcontrollers, from training to the C array."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tfopt

RECIPE = """
name: micro
data: {source: digits}
model: {source: small_cnn, args: {filters: [4]}}
target: tflm
stages:
  - train: {epochs: 1}
export:
  tflite:
    small: {agreement: 50%}
budgets:
  small.arena_bytes: 20 kB
"""


@pytest.mark.tf
@pytest.mark.slow
def test_an_int8_file_runs_in_tflite_micro(tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro")
    recipe = tmp_path / "micro.yaml"
    recipe.write_text(RECIPE, encoding="utf-8")
    run = tfopt.run(recipe, out=tmp_path / "runs")
    assert run.ok
    record = run.export("small")
    assert record.audit is not None
    assert [port.dtype for port in record.audit.inputs] == ["int8"]
    ran = next(claim for claim in record.claims if claim.code == "target_runs")
    assert re.search(r"\b[01] steps?\b", ran.found), ran.found
    assert (run.folder / record.details["c_array"]["source"]).is_file()
