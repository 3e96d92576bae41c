"""Operators by Keras layer, or by the name of their output."""

from __future__ import annotations

from pathlib import Path

from tests.support.tflite_files import two_layers
from tfopt.backend.explain.layer_groups import layer_groups
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.tflite import flatbuffer


def test_a_layer_has_its_keras_name_where_it_is_known(tmp_path: Path) -> None:
    file = flatbuffer.read(two_layers.int8_file(tmp_path / "int8.tflite"))
    groups = layer_groups(file, LayerNames(["first", "second"]))
    assert [(group.layer, group.known, group.positions) for group in groups] == [
        ("first", True, (0,)),
        ("second", True, (1,)),
    ]


def test_without_names_it_has_that_of_its_output(tmp_path: Path) -> None:
    file = flatbuffer.read(two_layers.int8_file(tmp_path / "int8.tflite"))
    groups = layer_groups(file, LayerNames([]))
    assert [(group.layer, group.known) for group in groups] == [(name, False) for name in two_layers.NAMES]


def test_a_float_file_has_none(tmp_path: Path) -> None:
    assert layer_groups(flatbuffer.read(two_layers.float_file(tmp_path / "float.tflite")), LayerNames([])) == []
