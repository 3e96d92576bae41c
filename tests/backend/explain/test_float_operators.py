"""Operators of a quantized file compute in float, with the weights that they are given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.tflite_files import two_layers
from tfopt.backend.explain.float_operators import can_be_float, in_float, real_values
from tfopt.backend.tflite import flatbuffer, predict

WEIGHTS = {1: two_layers.FIRST, 3: two_layers.SECOND}


def run(content: bytes, path: Path) -> np.ndarray:
    path.write_bytes(content)
    outputs, _, _ = predict.predict(str(path), {"x": two_layers.EXAMPLES}, 1, "builtin")
    (values,) = outputs.values()
    return values


def error(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean((values - two_layers.expected()) ** 2)))


def operators(content: bytes) -> list[str]:
    file = flatbuffer.parse(content)
    return [file.operator_name(operator) for operator in file.model.subgraphs[0].operators]


def test_no_operator_in_float_changes_nothing(tmp_path: Path) -> None:
    content = two_layers.int8_file(tmp_path / "int8.tflite").read_bytes()
    np.testing.assert_array_equal(run(in_float(content, [], {}), tmp_path / "a"), run(content, tmp_path / "b"))


def test_all_operators_in_float_leave_the_rounding_of_input_and_output(tmp_path: Path) -> None:
    content = two_layers.int8_file(tmp_path / "int8.tflite").read_bytes()
    made = in_float(content, [0, 1], WEIGHTS)
    assert operators(made) == ["DEQUANTIZE", "FULLY_CONNECTED", "FULLY_CONNECTED", "QUANTIZE"]
    values = run(made, tmp_path / "float.tflite")
    assert np.abs(values - two_layers.expected()).max() <= two_layers.OUTER / 2 + 4 * two_layers.STEP
    assert len(made) > len(content)


def test_one_operator_in_float_gives_and_takes_integers(tmp_path: Path) -> None:
    content = two_layers.int8_file(tmp_path / "int8.tflite").read_bytes()
    one = in_float(content, [0], WEIGHTS)
    assert operators(one) == ["DEQUANTIZE", "FULLY_CONNECTED", "QUANTIZE", "FULLY_CONNECTED"]
    whole = error(run(in_float(content, [0, 1], WEIGHTS), tmp_path / "two"))
    assert whole < error(run(one, tmp_path / "one")) <= error(run(content, tmp_path / "none")) + two_layers.INNER


def test_weights_that_are_not_given_stay_rounded(tmp_path: Path) -> None:
    coarse = {1: np.round(two_layers.FIRST), 3: np.round(two_layers.SECOND)}
    content = two_layers.int8_file(tmp_path / "int8.tflite").read_bytes()
    given = error(run(in_float(content, [0, 1], coarse), tmp_path / "given"))
    assert given > 3 * error(run(in_float(content, [0, 1], {}), tmp_path / "file"))


def test_a_float16_kernel_is_replaced_with_its_conversion(tmp_path: Path) -> None:
    content = two_layers.float16_file(tmp_path / "float16.tflite").read_bytes()
    file = flatbuffer.parse(content)
    graph = file.model.subgraphs[0]
    assert [can_be_float(file, graph, operator) for operator in graph.operators] == [False, True]
    made = in_float(content, [1], {1: two_layers.FIRST})
    assert operators(made) == ["FULLY_CONNECTED"]
    np.testing.assert_allclose(run(made, tmp_path / "f"), two_layers.EXAMPLES @ two_layers.FIRST.T, atol=1e-6)


@pytest.mark.parametrize("index", [1, 3])
def test_real_values_are_near_the_weights(index: int, tmp_path: Path) -> None:
    file = flatbuffer.read(two_layers.int8_file(tmp_path / "int8.tflite"))
    values = real_values(file, file.model.subgraphs[0], file.model.subgraphs[0].tensors[index])
    assert values is not None
    np.testing.assert_allclose(values, WEIGHTS[index], atol=0.01)
