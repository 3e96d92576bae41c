"""Case free-length-tokens: tokens of any length, padded, through attention and a mean: files of the data's length."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tfopt

pytestmark = pytest.mark.tf


def test_files_of_the_data_s_length_with_their_masks(shared_case: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shared_case("free-length-tokens")
    files = {"float32": {}, "int8": {"quantize": "int8"}}
    short = {"stages.train.epochs": 2, "stages.prune.epochs": 1, "export.tflite": files}
    recipe = tfopt.load(folder / "recipe.yaml", short)
    run = tfopt.run(recipe, out=tmp_path)
    assert any("the model leaves the shape of tokens open" in warning for warning in run.report.warnings)
    exports = {record.name: record for record in run.report.exports}
    for record in exports.values():
        assert [(claim.claim, claim.found) for claim in record.claims if not claim.held] == []
    audit = exports["int8"].audit
    assert audit is not None
    assert audit.float_operators == {}
    assert [port.shape[1:] for port in audit.inputs] == [[24]]
    assert exports["int8"].measures["agreement"] > 0.9
