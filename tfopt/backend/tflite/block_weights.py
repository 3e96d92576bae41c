"""Weights in blocks with a scale each, as float32: what kernels that do not know blocks should compute."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite.changes import set_values


def has_blocks(file: flatbuffer.File) -> bool:
    """Whether any weights of a file are quantized in blocks."""
    return any(
        flatbuffer.blocks(file, graph, tensor) is not None for graph in file.model.subgraphs for tensor in graph.tensors
    )


def without_blocks(file: flatbuffer.File) -> flatbuffer.File:
    """Changes a file: weights in blocks become float32 of the same values; all else stays."""
    for graph in file.model.subgraphs:
        for tensor in graph.tensors:
            blocks, values = flatbuffer.blocks(file, graph, tensor), file.values(tensor)
            if blocks is not None and values is not None:
                set_values(file, tensor, (values * blocks.spread(values.shape)).astype(np.float32))
                tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
    return file
