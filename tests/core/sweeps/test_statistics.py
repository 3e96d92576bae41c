"""The tests of significance, against SciPy."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfopt.core.sweeps.statistics import holm, paired_difference, permutation_p_value, t_test_p_value

DIFFERENCES = [0.011, 0.004, -0.002, 0.009, 0.013, 0.001, 0.007]


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 7])
def test_the_t_test_is_scipys(count: int) -> None:
    from scipy import stats

    expected = stats.ttest_1samp(DIFFERENCES[:count], 0.0).pvalue
    assert t_test_p_value(DIFFERENCES[:count]) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("count", [2, 3, 6, 7])
def test_the_permutation_test_is_scipys(count: int) -> None:
    import numpy as np
    from scipy import stats

    values = DIFFERENCES[:count]
    expected = stats.permutation_test(
        (np.array(values),), np.mean, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert permutation_p_value(values) == pytest.approx(expected)


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1, allow_nan=False), min_size=2, max_size=8))
def test_the_permutation_test_never_claims_more_than_its_pairs_allow(differences: list[float]) -> None:
    least = 1 / 2 ** len(differences)
    assert least <= permutation_p_value(differences) <= 1


@pytest.mark.parametrize("differences", [[0.011, 0.004], [0.011, 0.004, -0.002, 0.009]])
def test_the_t_test_by_hand(differences: list[float]) -> None:
    """With one degree of freedom Student's distribution is Cauchy's; with three it has a closed form."""
    import math
    from statistics import fmean, stdev

    t = fmean(differences) / stdev(differences) * math.sqrt(len(differences))
    angle = math.atan(t / math.sqrt(len(differences) - 1))
    within = angle if len(differences) == 2 else angle + math.sin(angle) * math.cos(angle)
    assert t_test_p_value(differences) == pytest.approx(1 - 2 / math.pi * within, rel=1e-9)


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_few_seeds_take_the_t_test_and_enough_the_permutation_test() -> None:
    base = dict.fromkeys(range(7), 0.9)
    other = {seed: 0.9 + difference for seed, difference in enumerate(DIFFERENCES)}
    assert paired_difference({s: base[s] for s in range(3)}, other).test == "paired t-test"  # type: ignore[union-attr]
    assert paired_difference(base, other).test == "paired permutation test"  # type: ignore[union-attr]
    assert paired_difference(base, other, comparisons=10).test == "paired t-test"  # type: ignore[union-attr]


def test_differences_of_equally_many_examples_are_equal() -> None:
    first, second = {0: 300 / 359, 1: 341 / 359}, {0: 299 / 359, 1: 340 / 359}
    assert len({second[seed] - first[seed] for seed in first}) == 2
    found = paired_difference(first, second)
    assert found is not None
    assert (found.test, found.p_value) == (None, 1.0)


def test_no_test_can_tell_from_one_seed_from_equal_differences_or_from_no_common_seed() -> None:
    single = paired_difference({1: 0.9}, {1: 0.5})
    assert single is not None
    assert (single.test, single.p_value) == (None, 1.0)
    equal = paired_difference({1: 0.5, 2: 0.25}, {1: 0.75, 2: 0.5})
    assert equal is not None
    assert (equal.mean, equal.test, equal.p_value) == (0.25, None, 1.0)
    assert paired_difference({1: 0.9}, {2: 0.9}) is None
