"""A list of sparsities."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator

from tfopt.core.config.schedules.base import (
    ResolvedSchedule,
    ScheduleBase,
    check_begin,
    check_sparsity,
    update_distance,
)
from tfopt.core.language.block import Block
from tfopt.core.language.quantities import Share, Span


class SparsityStep(Block):
    """From `at` on, the sparsity is `sparsity`."""

    at: Span
    """Position in the stage."""
    sparsity: Share
    """Share of zeros from there on."""

    _sparsity = field_validator("sparsity")(check_sparsity)


class Stepwise(ScheduleBase):
    """A list of sparsities, each from its point on; one that is lower than that before lets weights grow back."""

    kind: Literal["stepwise"] = "stepwise"
    """The name of the schedule."""
    steps: Annotated[tuple[SparsityStep, ...], Field(min_length=1)]
    """The sparsities, in order; the first is where pruning begins, the last is the final one."""
    every: Span | None = None
    """How often the masks are updated between the first point and the last in addition to each (default: 50 times)."""

    @property
    def begin(self) -> Span:
        return self.steps[0].at

    @property
    def end(self) -> Span:
        return self.steps[-1].at

    def final_sparsity(self) -> float:
        return self.steps[-1].sparsity

    def resolve(self, total_steps: int, steps_per_epoch: int) -> ResolvedSchedule:
        points = [(step.at.steps(total_steps, steps_per_epoch), step.sparsity) for step in self.steps]
        for index, (point, _) in enumerate(points):
            check_begin(
                f"steps[{index}].at", point, self.steps[index].at, total_steps, "this sparsity would never come"
            )
        for index, ((first, _), (second, _)) in enumerate(pairwise(points)):
            if second <= first:
                raise ValueError(
                    f"schedule.steps[{index + 1}].at (step {second}, {self.steps[index + 1].at}) must come after the "
                    f"one before (step {first}, {self.steps[index].at})."
                )
        begin, end = points[0][0], points[-1][0]
        every = update_distance(self.every, begin, end, total_steps, steps_per_epoch)
        steps = sorted({*range(begin, end, every), *(point for point, _ in points)})
        # The latest point at or before a step rules it.
        mask_updates = tuple((step, max(point for point in points if point[0] <= step)[1]) for step in steps)
        return ResolvedSchedule(self, begin, end, None, total_steps, mask_updates)
