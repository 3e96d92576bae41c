"""Sparsity that rises only as long as the model stays good.

Validation decides the pace, as in the iterative pruning of Han et al. (2015, arXiv:1506.02626), where a round ends when
the accuracy has come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from tfopt.core.config.schedules.base import ResolvedSchedule, Window, check_rise, check_sparsity, geometric
from tfopt.core.language.quantities import Share


@dataclass(frozen=True)
class LevelState:
    """State of a metric-triggered schedule.

    Args:
        level: index of the level reached so far.
        best: the best value of the metric so far; None before the first.
    """

    level: int = 0
    best: float | None = None


@dataclass(frozen=True)
class SparsityLevels:
    """The pure heart of a metric-triggered schedule.

    Args:
        levels: sparsity of each level; `levels[0]` holds at first, the last is the final sparsity.
        tolerance: how much worse than the best value, as a share of it, still allows the next level.
        higher_is_better: which way the metric improves.
    """

    levels: tuple[float, ...]
    tolerance: float
    higher_is_better: bool

    def sparsity(self, state: LevelState) -> float:
        """Share of zeros in a state."""
        return self.levels[state.level]

    def record(self, state: LevelState, value: float) -> LevelState:
        """The state after an epoch in which the schedule may not rise: only the best value is kept."""
        if not isfinite(value):
            return state
        better = state.best is None or (value > state.best if self.higher_is_better else value < state.best)
        return LevelState(state.level, value if better else state.best)

    def advance(self, state: LevelState, value: float) -> LevelState:
        """The state after an epoch with this value of the metric: one level higher if the value is good enough."""
        state = self.record(state, value)
        if state.best is None or not isfinite(value) or state.level == len(self.levels) - 1:
            return state
        slack = self.tolerance * abs(state.best)
        good = value >= state.best - slack if self.higher_is_better else value <= state.best + slack
        return LevelState(state.level + good, state.best)


class Metric(Window):
    """Climbs to the next sparsity at the end of an epoch only if a metric is still within a tolerance of its best."""

    kind: Literal["metric"] = "metric"
    """The name of the schedule."""
    initial: Share = 0.0
    """Sparsity at begin."""
    final: Share
    """Sparsity of the last level; it is reached only if the metric allows it."""
    rungs: Annotated[int, Field(ge=1)] = 5
    """Steps from initial to final, each of which removes the same share of the weights that are left."""
    monitor: str = "val_loss"
    """The metric that is monitored; `val_` measures the validation split."""
    tolerance: Share = 0.02
    """How much worse than its best the metric may be, as a share of the best, for sparsity to rise."""

    _sparsity = field_validator("initial", "final")(check_sparsity)

    @field_validator("tolerance")
    @classmethod
    def _not_negative(cls, value: float) -> float:
        if value < 0:
            raise ValueError("must be at least 0%")
        return value

    @model_validator(mode="after")
    def _rises(self) -> Metric:
        check_rise(self.initial, self.final)
        return self

    def final_sparsity(self) -> float:
        return self.final

    def levels(self) -> tuple[float, ...]:
        """Sparsity of each level, from the initial one."""
        return tuple(geometric(self.initial, self.final, level / self.rungs) for level in range(self.rungs + 1))

    def sparsity_levels(self, higher_is_better: bool) -> SparsityLevels:
        """What decides at the end of each epoch.

        Args:
            higher_is_better: which way the monitored metric improves.
        """
        return SparsityLevels(self.levels(), self.tolerance, higher_is_better)

    def resolve(self, total_steps: int, steps_per_epoch: int) -> ResolvedSchedule:
        """The optimistic plan: one level after every epoch that ends between begin and end."""
        begin, end = self.window(total_steps, steps_per_epoch)
        # The decision falls at the end of an epoch, and the masks are updated in the step after it.
        chances = [step + 1 for step in range(steps_per_epoch, end, steps_per_epoch) if step >= begin]
        if len(chances) < self.rungs:
            raise ValueError(
                f"schedule.rungs is {self.rungs}, but only {len(chances)} epochs end between begin (step {begin}) and "
                f"end (step {end}): {self.final:.0%} would never be reached, however good the model is."
            )
        mask_updates = list(zip(chances, self.levels()[1:], strict=False))
        if self.initial:
            mask_updates = [(begin, self.initial), *mask_updates]
        return ResolvedSchedule(self, begin, end, None, total_steps, tuple(mask_updates))
