"""Values inside two files are compared where tensors have the same name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.tflite_files import two_layers
from tfopt.backend.explain.tensor_errors import tensor_errors


def test_tensors_of_one_name_are_compared_in_order(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", two_layers.EXAMPLES)
    inputs = {"x": tmp_path / "x.npy"}
    files = two_layers.int8_file(tmp_path / "int8.tflite", inner=0.2), two_layers.float_file(tmp_path / "float.tflite")
    first, second = tensor_errors(*files, (inputs, inputs), tmp_path, 8)
    assert (first.layer, second.layer) == two_layers.NAMES
    assert first.type == "FULLY_CONNECTED"
    assert first.sqnr_db is not None
    assert first.sqnr_db < 30
    assert 0 < first.max_error <= 0.2
    assert second.before == first.relative_error
