"""Non-maximum suppression inside of a file finds what suppression outside finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from tfopt.backend.export.detections.suppression import OUTPUTS, write_with_suppression
from tfopt.backend.export.detections.written import detections_in
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.vision.anchors import AnchorGrid
from tfopt.backend.vision.detections import detections_of
from tfopt.core.config.files.detections import Detections
from tfopt.errors import ExportError

GRID = AnchorGrid((64, 64), (16, 32), (0.2, 0.4))
CLASSES = 3


def outputs_as_inputs(path: Path, names: tuple[str, str] = ("boxes", "classes")) -> Path:
    """A file without operators, whose inputs are the outputs of a detector."""
    model, graph, signature = schema.ModelT(), schema.SubGraphT(), schema.SignatureDefT()
    shapes = ((1, len(GRID.boxes()), 4), (1, len(GRID.boxes()), 1 + CLASSES))
    graph.tensors, ends = [], []
    for index, (name, shape) in enumerate(zip(names, shapes, strict=True)):
        tensor, end = schema.TensorT(), schema.TensorMapT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name.encode(), list(shape), schema.TensorType.FLOAT32, 0
        end.name, end.tensorIndex = name.encode(), index
        graph.tensors.append(tensor)
        ends.append(end)
    graph.inputs, graph.outputs, graph.operators = [0, 1], [0, 1], []
    signature.signatureKey, signature.inputs, signature.outputs, signature.subgraphIndex = b"serve", ends, ends, 0
    model.version, model.subgraphs, model.signatureDefs = 3, [graph], [signature]
    model.operatorCodes, model.buffers = [], [schema.BufferT()]
    path.write_bytes(flatbuffer.serialize(flatbuffer.File(model)))
    return path


@pytest.mark.parametrize("logits", [False, True])
def test_the_same_objects_are_found(tmp_path: Path, logits: bool) -> None:
    keys = Detections(least_score=0.3, nms_iou=0.4, most=7)
    write_with_suppression(
        outputs_as_inputs(tmp_path / "plain.tflite"), tmp_path / "made.tflite", GRID.boxes(), keys, logits=logits
    )
    runner = Interpreter(str(tmp_path / "made.tflite")).get_signature_runner()
    random = np.random.default_rng(0)
    counts = []
    for _ in range(20):
        offsets = random.normal(0, 0.3, (len(GRID.boxes()), 4)).astype(np.float32)
        scores = random.normal(0, 2, (len(GRID.boxes()), 1 + CLASSES)).astype(np.float32)
        probabilities = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
        found = runner(boxes=offsets[None], classes=(scores if logits else probabilities)[None])
        assert tuple(sorted(found)) == tuple(sorted(OUTPUTS))
        inside = detections_in(found)
        outside = detections_of(offsets, probabilities, GRID.boxes(), least_score=0.3, threshold=0.4, most=7)
        np.testing.assert_allclose(inside.scores, outside.scores, atol=1e-5)
        np.testing.assert_array_equal(inside.labels, outside.labels)
        np.testing.assert_allclose(inside.boxes, outside.boxes, atol=1e-5)
        counts.append(len(outside.labels))
    assert max(counts) == 7


def test_litert_loses_objects_with_two_threads(tmp_path: Path) -> None:
    """Why files are judged with one thread. If this fails, LiteRT is mended: see `written._THREADS`."""
    plain = outputs_as_inputs(tmp_path / "plain.tflite")
    write_with_suppression(plain, tmp_path / "made.tflite", GRID.boxes(), Detections(least_score=0.3), logits=False)
    one, two = (
        Interpreter(str(tmp_path / "made.tflite"), num_threads=threads).get_signature_runner() for threads in (1, 2)
    )
    random = np.random.default_rng(0)
    counts = []
    for _ in range(20):
        offsets = random.normal(0, 0.3, (1, len(GRID.boxes()), 4)).astype(np.float32)
        scores = random.uniform(0, 1, (1, len(GRID.boxes()), 1 + CLASSES)).astype(np.float32)
        counts.append([int(runner(boxes=offsets, classes=scores)["count"][0]) for runner in (one, two)])
    assert any(fewer < all_ for all_, fewer in counts), counts


def test_other_outputs_are_refused(tmp_path: Path) -> None:
    file = outputs_as_inputs(tmp_path / "plain.tflite", ("boxes", "scores"))
    with pytest.raises(ExportError, match="need the float output 'classes'"):
        write_with_suppression(file, tmp_path / "made.tflite", GRID.boxes(), Detections(), logits=False)
