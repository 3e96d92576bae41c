"""Compares two sets of outputs: the share of equal predictions, or for regression the largest difference."""

from __future__ import annotations

import numpy as np

from tfopt.backend.types import Array
from tfopt.core.claims.agreement import OutputComparison
from tfopt.core.config.compile import Compile
from tfopt.core.config.keras_names import LOSSES

_BINARY = ("binary_crossentropy", "binary_focal_crossentropy", "hinge", "squared_hinge")
_HINGES = ("hinge", "squared_hinge")


def compare(found: Array, expected: Array, compile: Compile) -> OutputComparison:
    """Compares outputs as the recipe's loss interprets them.

    Args:
        found: outputs to compare, (examples, ...).
        expected: outputs they should equal, of the same shape.
        compile: whose loss determines whether outputs are classes. Sequence outputs count per element, multi-label
            outputs per label.

    Returns:
        Share of equal predictions; for a regression loss the largest absolute difference. An output that is not a
        number is never equal to one that is.
    """
    examples = len(expected)
    if found.shape != expected.shape:
        return OutputComparison(examples, share=0.0)
    if not LOSSES[compile.loss.name].classification:
        difference = np.abs(found.astype(np.float64) - expected.astype(np.float64))
        spread = float(expected.max() - expected.min()) if expected.size else 0.0
        return OutputComparison(examples, difference=float(difference.max()) if difference.size else 0.0, spread=spread)
    equal = _predictions(found, compile) == _predictions(expected, compile)
    return OutputComparison(examples, share=float(np.mean(equal)))


def _predictions(outputs: Array, compile: Compile) -> Array:
    """Class ids, or 0/1 per label; -1 where the output is not a number."""
    numbers = ~np.isnan(outputs)
    if outputs.ndim < 2 or outputs.shape[-1] == 1 or compile.loss.name in _BINARY:
        logits = bool(compile.loss.arguments().get("from_logits", False)) or compile.loss.name in _HINGES
        return np.where(numbers, outputs > (0.0 if logits else 0.5), -1)
    return np.where(numbers.all(axis=-1), np.argmax(outputs, axis=-1), -1)
