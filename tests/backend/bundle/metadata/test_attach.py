"""Metadata in front of a file: every part of the old file stays where it is and is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.support.tflite_files.handmade_tflite import Graph, Tensor, write
from tests.support.tflite_files.metadata_reader import files_in, metadata_in
from tfopt.backend.bundle.metadata.attach import attached
from tfopt.backend.tflite import flatbuffer
from tfopt.errors import ExportError

FLOAT = schema.TensorType.FLOAT32
WEIGHTS = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def plain(tmp_path: Path) -> bytes:
    tensors = [Tensor("x", FLOAT, (1, 4)), Tensor("w", FLOAT, (3, 4), WEIGHTS), Tensor("y", FLOAT, (1, 3))]
    return write(tmp_path / "plain.tflite", Graph(tensors, inputs=[0], outputs=[2])).read_bytes()


@pytest.mark.parametrize("size", [0, 1, 13, 64, 1000])
def test_the_old_file_is_a_part_of_the_new_one(plain: bytes, size: int) -> None:
    new = attached(plain, bytes(range(256)) * 4 if size == 1000 else b"m" * size, {})
    front = len(new) - len(plain)
    assert new[front:] == plain
    assert front % 64 == 0
    assert new[4:8] == b"TFL3"


def test_readers_find_the_metadata_the_model_and_the_files(plain: bytes) -> None:
    new = attached(plain, b"what it means", {"labels.txt": b"a\nb\n", "vocabulary.txt": b"the\n"})
    assert metadata_in(new) == b"what it means"
    assert files_in(new) == {"labels.txt": b"a\nb\n", "vocabulary.txt": b"the\n"}
    model = flatbuffer.parse(new).model
    assert model.version == 3
    assert flatbuffer.text(model.description) == "handmade"
    (graph,) = model.subgraphs
    assert [flatbuffer.text(tensor.name) for tensor in graph.tensors] == ["x", "w", "y"]
    values = flatbuffer.parse(new).values(graph.tensors[1])
    assert values is not None
    assert np.array_equal(values, WEIGHTS)


def test_metadata_that_are_there_are_replaced_and_other_entries_kept(plain: bytes) -> None:
    file, entry = flatbuffer.parse(plain), schema.MetadataT()
    entry.name, entry.buffer = "min_runtime_version", 0
    file.model.metadata = [entry]
    first = attached(flatbuffer.serialize(file), b"one", {"labels.txt": b"old\n"})
    second = attached(first, b"two", {"labels.txt": b"new\n"})
    assert metadata_in(second) == b"two"
    assert files_in(second) == {"labels.txt": b"new\n"}
    entries = [flatbuffer.text(each.name) for each in flatbuffer.parse(second).model.metadata]
    assert entries == ["min_runtime_version", "TFLITE_METADATA"]


def test_the_bytes_depend_on_the_contents_alone(plain: bytes) -> None:
    assert attached(plain, b"m", {"a.txt": b"a"}) == attached(plain, b"m", {"a.txt": b"a"})


def test_weights_outside_of_the_flatbuffer_are_refused(plain: bytes) -> None:
    file = flatbuffer.parse(plain)
    file.model.buffers[-1].offset = 4096
    with pytest.raises(ExportError, match="outside of its FlatBuffer"):
        attached(flatbuffer.serialize(file), b"m", {})
