"""The operators that the Edge TPU Compiler maps to the Edge TPU, all of them in int8 (or uint8).

Source: the table "All operations supported by the Edge TPU and any known limitations" of
https://coral.ai/docs/edgetpu/models-intro/ (Edge TPU Compiler 16, runtime 14). The first operator that is not mapped
ends the part of the model that runs on the Edge TPU; the rest runs on the processor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

OPERATORS: Mapping[str, str] = {
    "ADD": "",
    "AVERAGE_POOL_2D": "no fused activation function",
    "CONCATENATION": "no fused activation function",
    "CONV_2D": "the same dilation in height and width",
    "DEPTHWISE_CONV_2D": "no dilation",
    "EXPAND_DIMS": "",
    "FULLY_CONNECTED": "an output of one axis",
    "L2_NORMALIZATION": "",
    "LOGISTIC": "",
    "LSTM": "unidirectional",
    "MAXIMUM": "",
    "MAX_POOL_2D": "no fused activation function",
    "MEAN": "over height and width only",
    "MINIMUM": "",
    "MUL": "",
    "PAD": "of height and width only",
    "PRELU": "one slope per channel (shared_axes [1, 2])",
    "QUANTIZE": "",
    "REDUCE_MAX": "not over the batch",
    "REDUCE_MIN": "not over the batch",
    "RELU": "",
    "RELU6": "",
    "RELU_N1_TO_1": "",
    "RESHAPE": "large tensors may stay on the processor",
    "RESIZE_BILINEAR": "depends on the sizes",
    "RESIZE_NEAREST_NEIGHBOR": "depends on the sizes",
    "RSQRT": "",
    "SLICE": "",
    "SOFTMAX": "one axis of at most 16,000 elements",
    "SPACE_TO_DEPTH": "",
    "SPLIT": "not along the batch",
    "SQUARED_DIFFERENCE": "",
    "SQUEEZE": "leading axes only",
    "STRIDED_SLICE": "all strides 1",
    "SUB": "",
    "SUM": "not over the batch",
    "TANH": "",
    "TRANSPOSE": "",
    "TRANSPOSE_CONV": "",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "",
}
"""Builtin operators by their name in the TFLite schema, with the condition under which they are mapped."""


def missing(operators: Iterable[str]) -> tuple[str, ...]:
    """Those of the operators that stay on the processor, whatever their settings."""
    return tuple(dict.fromkeys(name for name in operators if name not in OPERATORS))
