"""Whether a difference is more than the noise of the seeds: paired tests, and Holm's correction.

With n seeds the paired permutation test cannot give less than 2 / 2^n: 0.25 for three seeds, however large the
difference. Where it cannot decide, the paired t-test is used, which assumes that differences are normally distributed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean, stdev
from typing import Literal

LEVEL = 0.05
"""Probability of calling noise a difference."""
_LARGEST_EXACT = 16
"""2^16 sign changes take a tenth of a second; with more pairs the t-test is as good."""

TestName = Literal["paired permutation test", "paired t-test"]


@dataclass(frozen=True)
class Difference:
    """How two alternatives differ, seed by seed.

    Args:
        mean: mean difference, second minus first.
        num_pairs: seeds that both have.
        test: the test used; None where no test can decide (fewer than two common seeds, or differences that are all
            equal, which a test set of few examples makes likely).
        p_value: probability of a difference as large as this if the seeds alone made it; 1.0 without a test.
    """

    mean: float
    num_pairs: int
    test: TestName | None
    p_value: float


def paired_difference(
    first: Mapping[int, float], second: Mapping[int, float], comparisons: int = 1
) -> Difference | None:
    """Compares two alternatives over the seeds they share.

    Args:
        first: values by seed.
        second: values by seed.
        comparisons: how many such comparisons are made together; decides which test can be significant at all.

    Returns:
        None where they share no seed.
    """
    seeds = sorted(first.keys() & second.keys())
    differences = [second[seed] - first[seed] for seed in seeds]
    if not differences:
        return None
    mean, count = fmean(differences), len(differences)
    # One example of the test set more or less is the same difference, but for its last bits: 0.9 - 0.8 and 0.8 - 0.7.
    if count < 2 or math.isclose(min(differences), max(differences), rel_tol=1e-9, abs_tol=1e-12):
        return Difference(mean, count, None, 1.0)
    if count <= _LARGEST_EXACT and 2 / 2**count * comparisons <= LEVEL:
        return Difference(mean, count, "paired permutation test", permutation_p_value(differences))
    return Difference(mean, count, "paired t-test", t_test_p_value(differences))


def permutation_p_value(differences: Sequence[float]) -> float:
    """Two-sided exact paired permutation test (Fisher, 1935): the share of sign changes that give a mean as large.

    `scipy.stats.permutation_test` gives the same, but takes four times as long for 16 pairs, because exact sums
    (`math.fsum`) are needed to recognize equal ones.

    Args:
        differences: one per pair.
    """
    observed = abs(math.fsum(differences))
    # Sums of the same numbers in a different order may differ in their last bits.
    least = observed * (1 - 1e-12)
    sums = (abs(math.fsum(sign * value for sign, value in zip(signs, differences, strict=True)))
            for signs in product((1, -1), repeat=len(differences)))  # fmt: skip
    as_large = sum(total >= least for total in sums)
    return float(as_large / 2 ** len(differences))


def t_test_p_value(differences: Sequence[float]) -> float:
    """Two-sided paired t-test (Student, 1908).

    Args:
        differences: one per pair, not all equal.
    """
    # `scipy.stats` would take a second to import; the distribution is all that is needed of it.
    from scipy.special import stdtr

    count = len(differences)
    statistic = fmean(differences) / (stdev(differences) / math.sqrt(count))
    return float(2 * stdtr(count - 1, -abs(statistic)))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for being several (Holm, 1979): the chance of one false alarm among all stays at the level."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected
