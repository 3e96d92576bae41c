"""A schedule in optimizer steps: the one truth about when masks are renewed, and to which sparsity."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfopt.core.config.schedules.base import ScheduleBase

Renewal = tuple[int, float]
"""(step, sparsity from that step on)."""


@dataclass(frozen=True)
class ResolvedSchedule:
    """A schedule in optimizer steps of one stage.

    Args:
        schedule: what the recipe says.
        begin: first step at which masks can be renewed.
        end: last step at which masks can be renewed; from there on sparsity stays what it is.
        every: steps between two renewals; None where they are not evenly spaced.
        total_steps: steps of the stage.
        renewals: the steps at which masks are renewed, ascending, each with the sparsity from there on. A renewal at
            step 0 is carried out in the first step, which is step 1.
    """

    schedule: ScheduleBase
    begin: int
    end: int
    every: int | None
    total_steps: int
    renewals: tuple[Renewal, ...]

    def sparsity_at(self, step: int) -> float:
        """Planned sparsity after `step` optimizer steps: that of the latest renewal, 0 before the first."""
        latest = bisect_right(self.renewals, step, key=lambda renewal: renewal[0]) - 1
        return self.renewals[latest][1] if latest >= 0 else 0.0

    def curve(self, points: int = 60) -> list[tuple[int, float]]:
        """`points` pairs of (step, planned sparsity), evenly spaced over the stage, for drawing."""
        steps = [round(index * self.total_steps / (points - 1)) for index in range(points)]
        return [(step, self.sparsity_at(step)) for step in steps]
