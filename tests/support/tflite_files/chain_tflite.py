"""A `.tflite` of a few operators, written by hand: what tests of running files need no converter for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.support.tflite_files.handmade_tflite import Graph, Tensor, write

FLOAT = schema.TensorType.FLOAT32


def chain(path: Path, width: int = 16, *names: str) -> Path:
    """A FULLY_CONNECTED of `width` x `width` random weights, then operators of one input each.

    Args:
        path: of the file.
        width: values of the input and of every result.
        names: of TFLite operators, such as `TANH`.
    """
    weights = np.random.default_rng(0).normal(size=(width, width)).astype(np.float32)
    tensors = [
        Tensor("x", FLOAT, (1, width)),
        Tensor("dense/MatMul", FLOAT, (width, width), weights),
        Tensor("dense/Out", FLOAT, (1, width)),
    ]
    operators = [(schema.BuiltinOperator.FULLY_CONNECTED, [0, 1], [2])]
    for name in names:
        tensors.append(Tensor(f"{name.lower()}/Out", FLOAT, (1, width)))
        operators.append((getattr(schema.BuiltinOperator, name), [len(tensors) - 2], [len(tensors) - 1]))
    return write(path, Graph(tensors, operators, [0], [len(tensors) - 1]))
