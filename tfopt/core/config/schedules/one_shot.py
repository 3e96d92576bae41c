"""All zeros at once, and never again."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from tfopt.core.config.schedules.base import ResolvedSchedule, ScheduleBase, check_begin, check_sparsity
from tfopt.core.language.quantities import Share, Span


class OneShot(ScheduleBase):
    """Prunes once, at begin; the masks stay as they are, and the rest of the stage is recovery."""

    kind: Literal["one_shot"] = "one_shot"
    """The name of the schedule."""
    begin: Span = Span(0.0, "%")
    """When the model is pruned, from the start of the stage."""
    final: Share
    """Sparsity from begin on."""

    _sparsity = field_validator("final")(check_sparsity)

    @property
    def end(self) -> Span:
        return self.begin

    def final_sparsity(self) -> float:
        return self.final

    def resolve(self, total_steps: int, steps_per_epoch: int) -> ResolvedSchedule:
        begin = self.begin.steps(total_steps, steps_per_epoch)
        check_begin("begin", begin, self.begin, total_steps)
        return ResolvedSchedule(self, begin, begin, None, total_steps, ((begin, self.final),))
