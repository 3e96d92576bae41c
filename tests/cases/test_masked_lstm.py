"""Case masked-lstm: Masking before an LSTM, in an int8 file, after a qat stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tfopt

pytestmark = pytest.mark.tf


def test_the_mask_is_computed_in_the_file_and_the_plan_says_how(
    shared_case: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shared_case("masked-lstm")
    # Few of the case's 24 steps: the graph of the file has each of them. Lengths are 4 and 5.
    module = folder / "model.py"
    module.write_text(module.read_text(encoding="utf-8").replace("24", "5"), encoding="utf-8")
    text = (folder / "recipe.yaml").read_text(encoding="utf-8")
    (folder / "recipe.yaml").write_text(
        text.replace("  - train: {epochs: 8}", "  - train: {epochs: 2}\n  - qat: {epochs: 1}"), encoding="utf-8"
    )
    recipe = tfopt.load(folder / "recipe.yaml", {"export.tflite": {"float32": {}, "int8": {"quantize": "int8"}}})
    run = tfopt.run(recipe, out=tmp_path)
    told = " ".join(run.report.warnings)
    assert "lstm has a mask, so it is computed step by step" in told
    exports = {record.name: record for record in run.report.exports}
    for record in exports.values():
        assert [(claim.claim, claim.found) for claim in record.claims if not claim.held] == []
    audit = exports["int8"].audit
    assert audit is not None
    assert "WHILE" not in audit.operators
    assert set(audit.float_layers) <= {"masking"}
    assert exports["int8"].measures["agreement"] > 0.9
