"""The median rule."""

from __future__ import annotations

from tfopt.core.sweeps.median_rule import is_worse_than_median

FINISHED = [{("prune", 1): value} for value in (0.90, 0.92, 0.97)]


def test_worse_than_the_median_is_hopeless() -> None:
    assert is_worse_than_median(("prune", 1), 0.91, FINISHED, higher_is_better=True)
    assert not is_worse_than_median(("prune", 1), 0.92, FINISHED, higher_is_better=True)
    assert is_worse_than_median(("prune", 1), 0.93, FINISHED, higher_is_better=False)


def test_nothing_is_stopped_before_three_have_finished_or_at_another_place() -> None:
    assert not is_worse_than_median(("prune", 1), 0.1, FINISHED[:2], higher_is_better=True)
    assert not is_worse_than_median(("prune", 2), 0.1, FINISHED, higher_is_better=True)
    assert not is_worse_than_median(("train", 1), 0.1, FINISHED, higher_is_better=True)
