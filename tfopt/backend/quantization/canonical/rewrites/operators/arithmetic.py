"""`x + c`, `c - x`, `x * c`, `x / c`, `-x` as Rescaling, and `x + y`, `x - y`, `x * y` as Add, Subtract, Multiply."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrites.operators.operator_rewrite import (
    Arguments,
    Build,
    OperatorAsLayer,
    Tensors,
    constant,
)
from tfopt.backend.types import Array

_PLUS, _MINUS, _TIMES, _OVER = "+", "-", "*", "/"
_SIGNS = {
    "__operators__.add": _PLUS,
    "math.add": _PLUS,
    "math.subtract": _MINUS,
    "math.multiply": _TIMES,
    "math.truediv": _OVER,
    "math.divide": _OVER,
}
_BINARY = {_PLUS: layers.Add, _MINUS: layers.Subtract, _TIMES: layers.Multiply}


class ArithmeticWithConstant(OperatorAsLayer):
    """One operand is a constant: one number, or one per channel."""

    def layer(self, symbol: str, arguments: Arguments, inputs: Tensors, output: tf.Tensor) -> Build | None:
        if symbol == "math.negative":
            return lambda name: layers.Rescaling(-1.0, name=name)
        if symbol not in _SIGNS or len(inputs) != 1 or output.shape.as_list() != inputs[0].shape.as_list():
            return None
        left, right, *_ = arguments.values()
        value = constant(right if left is inputs[0] else left, inputs[0].shape[-1])
        if value is None:
            return None
        found = _scale_and_offset(_SIGNS[symbol], np.asarray(value), constant_first=left is not inputs[0])
        if found is None:
            return None
        scale, offset = (part.tolist() for part in np.broadcast_arrays(*found))
        return lambda name: layers.Rescaling(scale, offset, name=name)


class BinaryArithmetic(OperatorAsLayer):
    """Both operands are tensors, of the same shape or of shapes that differ by axes of size 1."""

    def layer(self, symbol: str, arguments: Arguments, inputs: Tensors, output: tf.Tensor) -> Build | None:
        kind = _BINARY.get(_SIGNS.get(symbol, ""))
        if kind is None or len(inputs) != 2 or inputs[0].shape.rank != inputs[1].shape.rank:
            return None
        return lambda name: kind(name=name)


def _scale_and_offset(sign: str, value: Array, constant_first: bool) -> tuple[Array, Array] | None:
    zero, one = np.zeros_like(value), np.ones_like(value)
    if sign == _PLUS:
        return one, value
    if sign == _MINUS:
        return (-one, value) if constant_first else (one, -value)
    if sign == _TIMES:
        return value, zero
    return None if constant_first else (1 / value, zero)
