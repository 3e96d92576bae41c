"""Which operators of LiteRT compute with which weights: measured, as one table.

A weight that no kernel reads is stored in a way that one does (`stored`), so that a file of any mode runs. The table
says what is *right*, not what loads: `tests/backend/quantizer/test_weight_kernels.py` runs one-layer models on every
kind of kernels and compares them with the same weights in float32. Measured with LiteRT 2.3 and litert-quantizer 0.11:

- int4 in EMBEDDING_LOOKUP is wrong on all kernels where a row has an odd number of values, and int2 where it is not a
  multiple of four: rows do not begin at a byte.
- int2 in CONV_2D is NaN on all kernels.
- BATCH_MATMUL of int16 activations and constant int8 weights is wrong on all kernels: int16x8 files keep it float.
- weights in blocks: right on XNNPACK only, the reference kernels read them as if each channel had one scale; int2 in
  blocks does not load there, so no mode has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tfopt.core.config.quantization_modes import EIGHT_BITS, Mode

LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"
"""The operator of a whole LSTM, which litert-quantizer does not know: `tfopt.backend.quantizer` rounds its weights."""
PRODUCT = "BATCH_MATMUL"
"""The operator of a product of two tensors, one of which may be constant."""
_FLOAT16 = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED", "EMBEDDING_LOOKUP")
_INT8: Mapping[str, int] = dict.fromkeys((*_FLOAT16, PRODUCT, LSTM), 1)
_WEIGHTS: Mapping[str, Mapping[str, int]] = {
    "float32": MappingProxyType({}),
    "float16": dict.fromkeys(_FLOAT16, 1),
    "int8": _INT8,
    "int4": {"FULLY_CONNECTED": 1, "CONV_2D": 1, "EMBEDDING_LOOKUP": 2},
    "int2": {"FULLY_CONNECTED": 1, "EMBEDDING_LOOKUP": 4},
}
"""By dtype of weights with one scale per channel: operators, and what the length of a row must be a multiple of."""

_BLOCKS = ("FULLY_CONNECTED", "EMBEDDING_LOOKUP")

OPERATORS = frozenset(_INT8)
"""Operators whose weights can be integers while they compute with float activations."""


def reason_no_kernel(mode: Mode, operator: str, row: int) -> str | None:
    """Why an operator does not compute with the weights of a mode; None where it does.

    Args:
        mode: with float activations.
        operator: TFLite's name.
        row: how many weights a result is a sum of, or in a table the length of a row.
    """
    kernels = dict.fromkeys(_BLOCKS, mode.block) if mode.block else _WEIGHTS[mode.weights]
    if operator == LSTM and mode.weights_only:
        return f"LiteRT's {operator} with {mode.weights} weights rounds its inputs, which this mode does not"
    if operator not in kernels:
        return f"LiteRT has no kernel for {operator} with {mode.described_weights} weights"
    if row % kernels[operator] == 0:
        return None
    if mode.block:
        return f"a row of {row} weights cannot be divided into blocks of {mode.block}"
    return f"LiteRT's {operator} needs rows of a multiple of {kernels[operator]} for {mode.weights} weights, here {row}"


def stored_as(mode: Mode, operator: str, row: int) -> Mode | None:
    """How the weights of an operator are stored in a file of a mode.

    Args:
        mode: of the file, or of the layer by a rule; with float activations, or int8 weights.
        operator: TFLite's name.
        row: as in `reason_no_kernel`.

    Returns:
        The mode itself, or the one with int8 weights for integer activations, where a kernel reads such weights; else
        the one with int8 weights, where a kernel reads those and the mode rounds inputs, too; else None: the weights
        stay float32.
    """
    if mode.weights == "float32":
        return None
    if mode.integer_only:
        mode = EIGHT_BITS
    if reason_no_kernel(mode, operator, row) is None:
        return mode
    if mode.stores_floats or mode.weights_only:
        return None
    return EIGHT_BITS if reason_no_kernel(EIGHT_BITS, operator, row) is None else None
