"""Node data has Model Explorer's form and names of nodes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.tflite_files import two_layers
from tfopt.backend.explain.node_data import node_data
from tfopt.backend.tflite import flatbuffer
from tfopt.core.records.explanation import LayerErrorRecord

ERROR = LayerErrorRecord(
    layer="first",
    type="Dense",
    tensor=two_layers.NAMES[0],
    sqnr_db=30.0,
    cosine=1.0,
    max_error=0.1,
    relative_error=0.02,
    before=0.0,
)


def test_there_is_one_document_per_measure(tmp_path: Path) -> None:
    file = flatbuffer.read(two_layers.int8_file(tmp_path / "int8.tflite"))
    found = node_data(file, [ERROR], {0: 0.5})
    assert found.keys() == {"bytes", "zeros", "error", "time"}
    assert found["bytes"]["main"]["results"] == {"0": {"value": 24.0}, "1": {"value": 18.0}}
    assert found["error"]["main"]["results"] == {"0": {"value": 2.0}}
    assert found["time"]["main"]["results"] == {"0": {"value": 500.0}}


def test_what_is_not_known_has_no_document(tmp_path: Path) -> None:
    file = flatbuffer.read(two_layers.int8_file(tmp_path / "int8.tflite"))
    assert node_data(file).keys() == {"bytes", "zeros"}


def test_model_explorer_reads_it_and_has_these_nodes(tmp_path: Path) -> None:
    builder = pytest.importorskip("model_explorer.node_data_builder")
    adapter = pytest.importorskip("ai_edge_model_explorer_adapter")
    path = two_layers.int8_file(tmp_path / "int8.tflite")
    (collection,) = json.loads(adapter.ConvertFlatbufferDirectlyToJson(adapter.VisualizeConfig(), str(path)))
    graphs = {graph["id"]: {node["id"]: node["label"] for node in graph["nodes"]} for graph in collection["subgraphs"]}
    for document in node_data(flatbuffer.read(path), [ERROR], {0: 1.0, 1: 1.0}).values():
        for graph, content in document.items():
            results = {node: builder.NodeDataResult(**value) for node, value in content["results"].items()}
            gradient = [builder.GradientItem(**stop) for stop in content["gradient"]]
            read = builder.GraphNodeData(results=results, name=content["name"], gradient=gradient)
            assert json.loads(read.to_json_string())["results"] == content["results"]
            assert {graphs[graph][node] for node in results} == {"fully_connected"}
