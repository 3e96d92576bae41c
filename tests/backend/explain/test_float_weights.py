"""Float weights are found by shape and value, whatever they are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.tflite_files import two_layers
from tests.support.tflite_files.handmade_tflite import Graph, Tensor, write
from tfopt.backend.explain.float_weights import float_weights
from tfopt.backend.tflite import flatbuffer


def test_each_kernel_finds_its_float_values(tmp_path: Path) -> None:
    file = flatbuffer.read(two_layers.int8_file(tmp_path / "int8.tflite"))
    twin = flatbuffer.read(two_layers.float_file(tmp_path / "float.tflite"))
    found = float_weights(file, twin)
    assert found.keys() == {1, 3}
    np.testing.assert_array_equal(found[1], two_layers.FIRST)


def test_other_weights_of_the_same_shape_are_no_match(tmp_path: Path) -> None:
    file = flatbuffer.read(two_layers.int8_file(tmp_path / "int8.tflite"))
    other = Graph([Tensor("w", 0, (6, 4), -two_layers.FIRST)])
    assert float_weights(file, flatbuffer.read(write(tmp_path / "other.tflite", other))) == {}


def test_a_float16_kernel_finds_its_float32_values(tmp_path: Path) -> None:
    file = flatbuffer.read(two_layers.float16_file(tmp_path / "float16.tflite"))
    twin = flatbuffer.read(two_layers.float_file(tmp_path / "float.tflite"))
    np.testing.assert_array_equal(float_weights(file, twin)[1], two_layers.FIRST)
