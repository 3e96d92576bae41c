"""How the converter encodes a weight tensor: its own rule, repeated here, so that the outcome is known before training.

Source: tensorflow/compiler/mlir/lite/transforms/dense_to_sparse_pass.cc. `tests/backend/export/sparse` compares it with
what the converter does.
"""

from __future__ import annotations

import numpy as np

from tfopt.backend.types import Array
from tfopt.core.config.files.sparse_encoding import LEAST_ZEROS

_FLOAT_BLOCK, _INTEGER_BLOCK = 4, 16
_FLOAT_RATIO, _INTEGER_RATIO = 0.9, 0.8
"""Share of the zeros that blocks must hold."""


def block_of(nonzero: Array, weights: str) -> int | None:
    """How many inputs are stored together.

    Args:
        nonzero: which weights are not zero: (outputs, inputs) of a Dense layer; any other shape has no blocks.
        weights: dtype in the file.

    Returns:
        1 for single values; None where the tensor stays dense.
    """
    zeros = 1 - float(np.mean(nonzero)) if nonzero.size else 0.0
    if zeros < LEAST_ZEROS:
        return None
    if nonzero.ndim != 2:
        return 1
    floats = weights.startswith("float")
    block, ratio = (_FLOAT_BLOCK, _FLOAT_RATIO) if floats else (_INTEGER_BLOCK, _INTEGER_RATIO)
    outputs, inputs = nonzero.shape
    whole = nonzero[:, : inputs // block * block].reshape(outputs, inputs // block, block)
    empty = 1 - float(np.count_nonzero(whole.any(axis=2)) * block) / nonzero.size
    return block if empty > ratio * zeros else 1
