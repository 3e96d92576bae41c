"""Every weight below a threshold, however many they are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from tfopt.core.config.schedules.base import ResolvedSchedule, ScheduleBase, check_begin, check_sparsity
from tfopt.core.language.quantities import Share, Span


class Threshold(ScheduleBase):
    """Prunes once, at begin: every weight whose score is below a value; the rest of the stage is recovery.

    How many weights that are is found in training, kernel by kernel (the threshold form of Han et al. 2015,
    arXiv:1506.02626).
    """

    kind: Literal["threshold"] = "threshold"
    """The name of the schedule."""
    below: Annotated[float, Field(gt=0)]
    """Weights whose score is below become zero; with criterion magnitude the score is the absolute value."""
    ceiling: Share = 0.99
    """The most zeros of a kernel: where more of its weights are below, the largest of them stay."""
    begin: Span = Span(0.0, "%")
    """When the model is pruned, from the start of the stage."""

    _sparsity = field_validator("ceiling")(check_sparsity)

    @property
    def end(self) -> Span:
        return self.begin

    def final_sparsity(self) -> float:
        """The most zeros that there can be."""
        return self.ceiling

    def resolve(self, total_steps: int, steps_per_epoch: int) -> ResolvedSchedule:
        """The plan, in which every kernel has the most zeros."""
        begin = self.begin.steps(total_steps, steps_per_epoch)
        check_begin("begin", begin, self.begin, total_steps)
        return ResolvedSchedule(self, begin, begin, None, total_steps, ((begin, self.ceiling),))
