"""Ranges of a percentile and of least squared error, from histograms."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.calibration.clipping import clipped
from tfopt.backend.calibration.histograms import BINS, Histogram
from tfopt.core.config.files.calibration import Calibration

MSE, WHOLE = Calibration(range="mse"), Calibration()


def histogram(values: np.ndarray) -> Histogram:
    nonzero = values[values != 0]
    low, high = float(values.min()), float(values.max())
    counts, _ = np.histogram(nonzero, BINS, (low, high))
    return Histogram(low, high, counts, values.size - nonzero.size)


def percentile(share: str) -> Calibration:
    return Calibration.model_validate({"range": "percentile", "percentile": share})


def error(values: np.ndarray, low: float, high: float, levels: int) -> float:
    step = (high - low) / (levels - 1)
    zero = round(low / step)
    rounded = step * np.clip(np.round(values / step), zero, zero + levels - 1)
    return float(np.mean((rounded - values) ** 2))


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    """A million values around 0, and a few that are a hundred times as large."""
    values = np.random.default_rng(0).normal(0, 1, 1_000_000)
    values[:20] *= 25
    return values


def test_the_whole_range_is_that_of_all_values(values: np.ndarray) -> None:
    assert clipped(histogram(values), WHOLE, 256) == (values.min(), values.max())


def test_a_percentile_leaves_the_same_share_out_at_each_end(values: np.ndarray) -> None:
    low, high = clipped(histogram(values), percentile("99%"), 256)
    assert low == pytest.approx(np.quantile(values, 0.005), rel=0.03)
    assert high == pytest.approx(np.quantile(values, 0.995), rel=0.03)
    assert clipped(histogram(values), percentile("100%"), 256) == pytest.approx((values.min(), values.max()))


@pytest.mark.parametrize("levels", [16, 256])
def test_the_range_of_least_error_beats_all_others(values: np.ndarray, levels: int) -> None:
    low, high = clipped(histogram(values), MSE, levels)
    least = error(values, low, high, levels)
    assert least < error(values, float(values.min()), float(values.max()), levels) / 2
    assert all(least < 1.02 * error(values, low * factor, high * factor, levels) for factor in (0.7, 0.9, 1.1, 1.5))


def test_sixteen_bits_have_no_reason_to_clip(values: np.ndarray) -> None:
    low, high = clipped(histogram(values), MSE, 2**16)
    assert low < 0.7 * values.min()
    assert high > 0.7 * values.max()


@pytest.mark.parametrize("calibration", [MSE, percentile("99%")])
def test_zero_is_in_every_range(calibration: Calibration) -> None:
    positive = np.random.default_rng(0).normal(5, 1, 10_000)
    assert clipped(histogram(positive), calibration, 256)[0] == 0
    assert clipped(histogram(-positive), calibration, 256)[1] == 0
    relu = np.maximum(np.random.default_rng(0).normal(0, 1, 10_000), 0)
    assert clipped(histogram(relu), calibration, 256)[0] == 0
