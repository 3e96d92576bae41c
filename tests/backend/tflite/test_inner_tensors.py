"""Values inside a file, operator by operator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.support.tflite_files.handmade_tflite import Graph, Tensor, write
from tfopt.backend.tflite.inner_tensors import inner_tensors


def test_what_each_operator_writes_is_seen_in_order(tmp_path: Path) -> None:
    float32 = schema.TensorType.FLOAT32
    tensors = [Tensor(name, float32, (1, 3)) for name in ("x", "model/act/Relu", "model/out/Neg")]
    operators = [(schema.BuiltinOperator.RELU, [0], [1]), (schema.BuiltinOperator.NEG, [1], [2])]
    file = write(tmp_path / "two.tflite", Graph(tensors, operators, inputs=[0], outputs=[2]))
    values = np.array([[-1, 0, 2], [3, -4, 5], [6, 7, 8]], np.float32)
    np.save(tmp_path / "x.npy", values)
    (first, relu), (second, negated) = inner_tensors(file, {"x": tmp_path / "x.npy"}, 2, tmp_path)
    assert (first, second) == ("model/act/Relu", "model/out/Neg")
    np.testing.assert_array_equal(relu[:, 0], np.maximum(values[:2], 0))
    np.testing.assert_array_equal(negated, -relu)
