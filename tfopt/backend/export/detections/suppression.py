"""Non-maximum suppression behind the two outputs of a detector's file, by TFLite's own operator.

`TFLite_Detection_PostProcess` is in LiteRT's resolvers for phones and for Python, and is what the object detectors of
Android and ML Kit end with. It takes one image at a time, offsets in the order y, x, height, width, and floats.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from tfopt.backend.tflite import flatbuffer
from tfopt.backend.types import Array
from tfopt.backend.vision.boxes import centred
from tfopt.backend.vision.coding import SCALES
from tfopt.backend.vision.matching import BOXES, CLASSES
from tfopt.core.config.files.detections import Detections
from tfopt.errors import ExportError

OUTPUTS = ("locations", "labels", "scores", "count")
"""Corners as y, x, y, x, labels from 0, falling scores, and how many there are: the order of Android's detectors."""
_ORDER = np.array([1, 0, 3, 2], np.int32)
"""Of x, y, width, height, as the operator expects them."""
_OPERATOR = "TFLite_Detection_PostProcess"


def write_with_suppression(file: Path, target: Path, anchors: Array, keys: Detections, *, logits: bool) -> None:
    """Writes a file with the same network that ends with detections.

    Args:
        file: a `.tflite` with the float outputs `boxes` and `classes`.
        target: what is written.
        anchors: (anchors, 4) corners.
        keys: of the suppression.
        logits: whether the output `classes` are logits.

    Raises:
        ExportError: the file has other outputs, or several signatures.
    """
    parsed = flatbuffer.read(file)
    graph = _Graph(parsed)
    boxes, classes = (graph.output(name) for name in (BOXES, CLASSES))
    count, width = len(anchors), int(graph.tensors[classes].shape[-1])
    if logits:
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        probabilities = graph.tensor("probabilities", (1, count, width))
        graph.operator("SOFTMAX", [classes], [probabilities], options)
        classes = probabilities
    axis = schema.GatherOptionsT()
    axis.axis = 2
    ordered = graph.tensor("offsets", (1, count, 4))
    graph.operator("GATHER", [boxes, graph.constant("order", _ORDER)], [ordered], axis)
    centres = centred(anchors)[:, _ORDER].astype(np.float32)
    shapes = ((1, keys.most, 4), (1, keys.most), (1, keys.most), (1,))
    found = [graph.tensor(name, shape) for name, shape in zip(OUTPUTS, shapes, strict=True)]
    given = [ordered, classes, graph.constant("anchors", centres)]
    graph.custom(_OPERATOR, given, found, _options(keys, width - 1))
    graph.end_with(dict(zip(OUTPUTS, found, strict=True)))
    target.write_bytes(flatbuffer.serialize(parsed))


def _options(keys: Detections, classes: int) -> bytes:
    builder = flexbuffers.Builder()
    with builder.Map():
        builder.Int("max_detections", keys.most)
        builder.Int("detections_per_class", keys.most)
        builder.Int("max_classes_per_detection", 1)
        builder.Bool("use_regular_nms", True)
        builder.Float("nms_score_threshold", keys.least_score)
        builder.Float("nms_iou_threshold", keys.nms_iou)
        builder.Int("num_classes", classes)
        for name, scale in zip(("x_scale", "y_scale", "w_scale", "h_scale"), SCALES, strict=True):
            builder.Float(name, float(scale))
    return bytes(builder.Finish())


class _Graph:
    """The only graph of a file, to which operators are added."""

    def __init__(self, file: flatbuffer.File) -> None:
        self._model = file.model
        if len(self._model.subgraphs) != 1 or len(self._model.signatureDefs or ()) != 1:
            raise ExportError("Detections need a file with one graph and one signature.", code="incompatible_model")
        self._graph, self._signature = self._model.subgraphs[0], self._model.signatureDefs[0]
        self.tensors = self._graph.tensors

    def output(self, name: str) -> int:
        """The tensor of a float output."""
        for end in self._signature.outputs:
            if flatbuffer.text(end.name) == name and self.tensors[end.tensorIndex].type == schema.TensorType.FLOAT32:
                return int(end.tensorIndex)
        raise ExportError(f"Detections need the float output {name!r}.", code="incompatible_model")

    def tensor(self, name: str, shape: tuple[int, ...], dtype: int = schema.TensorType.FLOAT32, buffer: int = 0) -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name.encode(), list(shape), dtype, buffer
        self.tensors.append(made)
        return len(self.tensors) - 1

    def constant(self, name: str, values: Array) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self._model.buffers.append(buffer)
        dtype = schema.TensorType.INT32 if values.dtype == np.int32 else schema.TensorType.FLOAT32
        return self.tensor(name, values.shape, dtype, len(self._model.buffers) - 1)

    def operator(self, name: str, inputs: list[int], outputs: list[int], options: object) -> None:
        made = self._added(getattr(schema.BuiltinOperator, name), inputs, outputs)
        made.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        made.builtinOptions = options

    def custom(self, name: str, inputs: list[int], outputs: list[int], options: bytes) -> None:
        made = self._added(schema.BuiltinOperator.CUSTOM, inputs, outputs, name)
        made.customOptions = np.frombuffer(options, np.uint8)

    def _added(self, builtin: int, inputs: list[int], outputs: list[int], custom: str = "") -> schema.OperatorT:
        code = schema.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), 1
        code.customCode = custom.encode() if custom else None
        self._model.operatorCodes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = len(self._model.operatorCodes) - 1, inputs, outputs
        self._graph.operators.append(made)
        return made

    def end_with(self, outputs: dict[str, int]) -> None:
        """Makes these tensors the outputs, by name."""
        ends = []
        for name, index in outputs.items():
            end = schema.TensorMapT()
            end.name, end.tensorIndex = name.encode(), index
            ends.append(end)
        self._graph.outputs, self._signature.outputs = list(outputs.values()), ends
