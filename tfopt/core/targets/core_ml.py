"""The operators that LiteRT's Core ML delegate takes on iOS.

Source: `IsNodeSupportedByDelegate` in `tflite/delegates/coreml/coreml_delegate.mm` of github.com/google-ai-edge/LiteRT
(read in November 2026), and the conditions of its README. Only operators on float32 (a file of `quantize: float16`
too); each has conditions on shapes and constants, which only the delegate checks. What it does not take runs on the
CPU.
"""

from __future__ import annotations

from collections.abc import Iterable

OPERATORS = frozenset(
    {
        "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "HARD_SWISH",
        "LOGISTIC", "MAX_POOL_2D", "MEAN", "MIRROR_PAD", "MUL", "PAD", "PADV2", "RELU", "RELU6", "RELU_N1_TO_1",
        "RESHAPE", "RESIZE_BILINEAR", "SOFTMAX", "TANH", "TRANSPOSE_CONV",
    }
)  # fmt: skip
"""Builtin operators by their name in the TFLite schema. RESHAPE only for Core ML 2."""


def missing(operators: Iterable[str]) -> tuple[str, ...]:
    """Those of the operators that run on the CPU."""
    return tuple(dict.fromkeys(name for name in operators if name not in OPERATORS))
