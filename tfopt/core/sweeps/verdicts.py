"""What can be said about variants of one sparsity: which is best, and what is within the seeds' noise of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from tfopt.core.sweeps.rows import Row
from tfopt.core.sweeps.statistics import LEVEL, Difference, holm, paired_difference

SAME_SPARSITY = 0.015
"""Variants within one and a half points of sparsity are rivals; farther apart, sparsity explains the difference."""


@dataclass(frozen=True)
class Rival:
    """A variant held against the best of its sparsity.

    Args:
        name: of the variant.
        difference: to the best, seed by seed; None where they share no seed.
        p_value: corrected for the number of rivals (Holm).
        beyond_noise: whether the difference is more than the seeds' noise.
    """

    name: str
    difference: Difference | None
    p_value: float
    beyond_noise: bool


@dataclass(frozen=True)
class Verdict:
    """What can be said about variants of one sparsity.

    Args:
        sparsity: their mean sparsity; None for variants without one.
        best: name of the one with the best mean metric.
        metric: its mean.
        num_seeds: how many seeds it has.
        rivals: all others, by their metric.
    """

    sparsity: float | None
    best: str
    metric: float
    num_seeds: int
    rivals: tuple[Rival, ...]


def by_sparsity(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows with the same sparsity, sparsest last."""
    levels: list[list[Row]] = []
    for row in sorted((row for row in rows if row.metric is not None), key=lambda row: row.sparsity or 0.0):
        if levels and (row.sparsity or 0.0) - (levels[-1][0].sparsity or 0.0) <= SAME_SPARSITY:
            levels[-1].append(row)
        else:
            levels.append([row])
    return levels


def verdict_on(
    level: Sequence[Row], values: Mapping[str, Mapping[int, float]], higher_is_better: bool
) -> Verdict | None:
    """Holds every row of a level against its best one; None where it has no rival.

    Args:
        level: rows of one sparsity, each with a metric.
        values: the metric by variant and seed.
        higher_is_better: direction of the metric.
    """
    if len(level) < 2:
        return None
    best, *others = sorted(level, key=lambda row: worst_last(row.metric, higher_is_better))
    found = [paired_difference(values[best.name], values[row.name], len(others)) for row in others]
    corrected = holm([difference.p_value if difference else 1.0 for difference in found])
    rivals = [
        Rival(row.name, difference, p, bool(difference and difference.test) and p <= LEVEL)
        for row, difference, p in zip(others, found, corrected, strict=True)
    ]
    sparsities = [row.sparsity for row in level if row.sparsity is not None]
    mean = best.metric if best.metric is not None else 0.0
    return Verdict(fmean(sparsities) if sparsities else None, best.name, mean, len(best.seeds), tuple(rivals))


def worst_last(value: float | None, higher_is_better: bool) -> tuple[bool, float]:
    """Sorting key that puts the best value first and a missing one last."""
    return (value is None, 0.0 if value is None else -value if higher_is_better else value)
