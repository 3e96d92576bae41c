"""The operators that LiteRT's GPU delegate takes, on Android (OpenCL, OpenGL) and on iOS (Metal).

Source: the cases of `NewOperationParser` in `tflite/delegates/gpu/common/model_builder.cc` of
github.com/google-ai-edge/LiteRT (read in November 2026), with quantized operators allowed, as they are by default. It
computes in float, also what is int8 in the file; tensors have at most four axes, and each operator has conditions of
its own on shapes and constants, which only the delegate itself checks. What it does not take runs on the CPU.
"""

from __future__ import annotations

from collections.abc import Iterable

OPERATORS = frozenset(
    {
        "ABS", "ADD", "ADD_N", "AVERAGE_POOL_2D", "BATCH_MATMUL", "CAST", "CONCATENATION", "CONV_2D", "COS", "CUMSUM",
        "DENSIFY", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE", "DIV", "ELU", "EQUAL", "EXP", "FLOOR",
        "FLOOR_DIV", "FLOOR_MOD", "FULLY_CONNECTED", "GATHER", "GELU", "GREATER", "GREATER_EQUAL", "HARD_SWISH",
        "LEAKY_RELU", "LESS", "LESS_EQUAL", "LOG", "LOGICAL_AND", "LOGISTIC", "LSTM", "MAXIMUM", "MAX_POOL_2D", "MEAN",
        "MINIMUM", "MIRROR_PAD", "MUL", "NEG", "NOT_EQUAL", "ONE_HOT", "PACK", "PAD", "PADV2", "POW", "PRELU",
        "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1",
        "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SELECT", "SELECT_V2", "SIGN", "SIN", "SLICE",
        "SOFTMAX", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V", "SQRT", "SQUARE", "SQUARED_DIFFERENCE", "STRIDED_SLICE", "SUB",
        "SUM", "TANH", "TILE", "TRANSPOSE", "TRANSPOSE_CONV", "UNPACK",
    }
)  # fmt: skip
"""Builtin operators by their name in the TFLite schema."""


def missing(operators: Iterable[str]) -> tuple[str, ...]:
    """Those of the operators that run on the CPU."""
    return tuple(dict.fromkeys(name for name in operators if name not in OPERATORS))
