"""A handmade int8 `.tflite` of two fully connected layers, its float twin, and what they compute in NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.support.tflite_files.handmade_tflite import Graph, Tensor, write

FIRST = np.random.RandomState(0).uniform(-1, 1, (6, 4)).astype(np.float32)
SECOND = np.random.RandomState(1).uniform(-1, 1, (3, 6)).astype(np.float32)
EXAMPLES = np.random.RandomState(2).uniform(-1, 1, (40, 4)).astype(np.float32)
NAMES = ("model/first/MatMul", "model/second/MatMul")
STEP, INNER, OUTER = 2 / 255, 0.04, 0.05
"""Scales of the input, of the value between the layers (coarse: most of the error arises there), and of the output."""

_INT8, _FLOAT = schema.TensorType.INT8, schema.TensorType.FLOAT32
_DENSE = schema.BuiltinOperator.FULLY_CONNECTED


def expected() -> np.ndarray:
    """What the float layers compute, (examples, 3)."""
    return EXAMPLES @ FIRST.T @ SECOND.T


def int8_file(path: Path, inner: float = INNER, steps: int = 127) -> Path:
    """Writes the int8 file; `inner` is the scale of the value between the layers, `steps` how many the first kernel has
    on each side of zero."""
    first, first_scale = _rounded(FIRST, steps)
    second, second_scale = _rounded(SECOND)
    tensors = [
        Tensor("x", _INT8, (1, 4), scales=[STEP], zero_points=[0]),
        Tensor("model/first/kernel", _INT8, (6, 4), first, [first_scale], [0]),
        Tensor(NAMES[0], _INT8, (1, 6), scales=[inner], zero_points=[0]),
        Tensor("model/second/kernel", _INT8, (3, 6), second, [second_scale], [0]),
        Tensor(NAMES[1], _INT8, (1, 3), scales=[OUTER], zero_points=[0]),
    ]
    operators = [(_DENSE, [0, 1, -1], [2]), (_DENSE, [2, 3, -1], [4])]
    return write(path, Graph(tensors, operators, inputs=[0], outputs=[4]))


def float_file(path: Path) -> Path:
    """Writes the float twin."""
    tensors = [
        Tensor("x", _FLOAT, (1, 4)),
        Tensor("other/a", _FLOAT, (6, 4), FIRST),
        Tensor(NAMES[0], _FLOAT, (1, 6)),
        Tensor("other/b", _FLOAT, (3, 6), SECOND),
        Tensor(NAMES[1], _FLOAT, (1, 3)),
    ]
    operators = [(_DENSE, [0, 1, -1], [2]), (_DENSE, [2, 3, -1], [4])]
    return write(path, Graph(tensors, operators, inputs=[0], outputs=[4]))


def float16_file(path: Path) -> Path:
    """Writes the first layer with a float16 kernel, which a DEQUANTIZE turns into float32."""
    tensors = [
        Tensor("x", _FLOAT, (1, 4)),
        Tensor("model/first/kernel", schema.TensorType.FLOAT16, (6, 4), FIRST.astype(np.float16)),
        Tensor("model/first/kernel;float", _FLOAT, (6, 4)),
        Tensor(NAMES[0], _FLOAT, (1, 6)),
    ]
    operators = [(schema.BuiltinOperator.DEQUANTIZE, [1], [2]), (_DENSE, [0, 2, -1], [3])]
    return write(path, Graph(tensors, operators, inputs=[0], outputs=[3]))


def _rounded(kernel: np.ndarray, steps: int = 127) -> tuple[np.ndarray, float]:
    scale = float(np.abs(kernel).max() / steps)
    return np.round(kernel / scale).astype(np.int8), scale
