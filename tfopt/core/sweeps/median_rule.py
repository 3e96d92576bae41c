"""Early stopping of trials by the median rule. Pure.

A trial is stopped when its validation metric after an epoch is worse than the median of what the finished trials
had after the same epoch of the same stage (Golovin et al., "Google Vizier", 2017, section 3.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

Place = tuple[str, int]
"""(stage, epoch)."""

Curve = Mapping[Place, float]
"""A trial's validation metric by stage and epoch."""

LEAST_FINISHED = 3
"""A median of fewer trials would be a single opinion."""


def is_worse_than_median(place: Place, value: float, finished: Sequence[Curve], higher_is_better: bool) -> bool:
    """Whether the median rule stops a trial.

    Args:
        place: the stage and epoch that just ended.
        value: the trial's validation metric there.
        finished: curves of the finished trials.
        higher_is_better: for accuracies; False for losses and errors.
    """
    others = [curve[place] for curve in finished if place in curve]
    if len(others) < LEAST_FINISHED:
        return False
    middle = median(others)
    return value < middle if higher_is_better else value > middle
