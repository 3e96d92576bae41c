"""Compares two sets of outputs: the share of equal predictions, or for regression the largest difference; and the share
of values that are as close as a quantized output can tell."""

from __future__ import annotations

import numpy as np

from tfopt.backend.types import Array
from tfopt.core.claims.agreement import OutputComparison
from tfopt.core.config.compile import Compile
from tfopt.core.config.outputs import Outputs

_ROUNDING = 1 + 1e-3
"""Two values one step apart differ by a little more or less than the step, in float32."""


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
    meaning = Outputs.of(compile)
    if not meaning.are_classes:
        difference = np.abs(found.astype(np.float64) - expected.astype(np.float64))
        spread = float(expected.max() - expected.min()) if expected.size else 0.0
        return OutputComparison(examples, difference=float(difference.max()) if difference.size else 0.0, spread=spread)
    equal = _predictions(found, meaning) == _predictions(expected, meaning)
    return OutputComparison(examples, share=float(np.mean(equal)))


def share_within(found: Array, expected: Array, step: float) -> float:
    """Share of output values, of any loss, that differ by at most `step`; 0 where a shape differs."""
    if found.shape != expected.shape:
        return 0.0
    difference = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    return float(np.mean(difference <= step * _ROUNDING)) if difference.size else 1.0


def _predictions(outputs: Array, meaning: Outputs) -> Array:
    """Class ids, or 0/1 per label; -1 where the output is not a number."""
    numbers = ~np.isnan(outputs)
    if outputs.ndim < 2 or outputs.shape[-1] == 1 or meaning.one_per_label:
        return np.where(numbers, outputs > meaning.threshold, -1)
    return np.where(numbers.all(axis=-1), np.argmax(outputs, axis=-1), -1)
