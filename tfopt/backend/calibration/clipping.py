"""Ranges that leave outermost values out: of a percentile, or of least squared error."""

from __future__ import annotations

import numpy as np

from tfopt.backend.calibration.histograms import BINS, Histogram
from tfopt.core.config.files.calibration import Calibration

_FACTORS = np.linspace(1, 0.02, 50)
"""Candidates for an end of a range, as shares of the outermost value."""
_ROUNDS = 2
"""Each end is chosen for the other one in turn; more rounds changed no range of the models measured."""


def clipped(histogram: Histogram, calibration: Calibration, levels: int) -> tuple[float, float]:
    """The range of a tensor; it holds 0 and is within that of all values.

    Args:
        histogram: of its values.
        calibration: says how the range is computed.
        levels: of the integers that the tensor is rounded to, such as 256.
    """
    if calibration.range == "percentile":
        return _percentile(histogram, calibration.share)
    if calibration.range == "mse":
        return _least_error(histogram, levels)
    return histogram.low, histogram.high


def _percentile(histogram: Histogram, share: float) -> tuple[float, float]:
    """The range that leaves the same share of the values out at each end."""
    edges = np.linspace(histogram.low, histogram.high, BINS + 1)
    counts = histogram.counts.astype(np.float64)
    if histogram.low <= 0 <= histogram.high:
        counts[min(int(np.searchsorted(edges, 0, side="right")) - 1, BINS - 1)] += histogram.zeros
    cumulative = np.cumsum(counts)
    outside = (1 - share) / 2 * cumulative[-1]
    first = int(np.searchsorted(cumulative, outside, side="right"))
    last = int(np.searchsorted(cumulative, cumulative[-1] - outside, side="left"))
    return min(float(edges[min(first, BINS - 1)]), 0.0), max(float(edges[min(last, BINS - 1) + 1]), 0.0)


def _least_error(histogram: Histogram, levels: int) -> tuple[float, float]:
    """The range for which rounding (a step squared, over 12) and clipping make the smallest squared error together."""
    edges = np.linspace(histogram.low, histogram.high, BINS + 1)
    centers, counts = (edges[1:] + edges[:-1]) / 2, histogram.counts.astype(np.float64)
    low, high = min(histogram.low, 0.0), max(histogram.high, 0.0)

    def error(low: float, high: float) -> float:
        beyond = np.maximum(centers - high, 0) + np.maximum(low - centers, 0)
        rounding = ((high - low) / (levels - 1)) ** 2 / 12
        return float(np.sum(counts * np.where(beyond > 0, beyond**2, rounding)))

    ends = low, high
    for _ in range(_ROUNDS):
        high = min((float(factor) * ends[1] for factor in _FACTORS), key=lambda end: error(low, end))
        low = min((float(factor) * ends[0] for factor in _FACTORS), key=lambda end: error(end, high))
    return low, high
