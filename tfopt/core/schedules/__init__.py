"""Sparsity schedules as pure functions of the step.

A schedule is written relative to its stage (`begin: 10%`, `every: 20 steps`) and resolved once the number of
steps is known. Drawn and tested without TensorFlow; `tfopt.backend.pruning` turns a resolved one into a tfmot
`PruningSchedule` in one place.

Polynomial decay is the schedule of Zhu and Gupta, "To prune, or not to prune" (2017), arXiv:1710.01878.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from tfopt.core.block import Block, KeyMistake
from tfopt.core.quantities import Share, Span, format_share

DEFAULT_UPDATES = 50
"""How many mask updates a ramp gets when the recipe does not say `every`."""


def _check_sparsity(value: float) -> float:
    if not 0 <= value < 1:
        raise ValueError("must be at least 0% and below 100% (write 80% for four zeros in five)")
    return value


class ScheduleBase(Block):
    """What all schedules share: when pruning begins, ends, and how often the masks are renewed."""

    begin: Span = Span(0.0, "%")
    """When pruning begins, from the start of the stage."""
    end: Span = Span(0.7, "%")
    """When the final sparsity is reached; what follows is recovery at that sparsity."""
    every: Span | None = None
    """How often the masks are renewed between begin and end (default: 50 times)."""

    def final_sparsity(self) -> float:
        """The share of zeros at the end of the stage."""
        raise NotImplementedError

    def ramp(self, progress: float) -> float:
        """Sparsity at `progress` (0 at begin, 1 at end)."""
        raise NotImplementedError

    def resolve(self, total_steps: int, steps_per_epoch: int) -> ResolvedSchedule:
        """This schedule in steps of a stage.

        Args:
            total_steps: optimizer steps of the whole stage.
            steps_per_epoch: optimizer steps of one epoch.

        Raises:
            ValueError: it would never begin, or end after the stage, or its renewals are rarer than its ramp is
                long (tfmot accepts all three silently and prunes nothing, or not enough).
        """
        begin = self.begin.steps(total_steps, steps_per_epoch)
        end = self.end.steps(total_steps, steps_per_epoch)
        if begin >= total_steps:
            raise ValueError(
                f"schedule.begin is step {begin} ({self.begin}), but the stage has only {total_steps} steps: "
                "pruning would never begin."
            )
        if end > total_steps:
            raise ValueError(
                f"schedule.end is step {end} ({self.end}), but the stage has only {total_steps} steps: "
                f"{self.final_sparsity():.0%} would never be reached."
            )
        if end <= begin:
            raise ValueError(
                f"schedule.end (step {end}, {self.end}) must come after begin (step {begin}, {self.begin})."
            )
        if self.every is None:
            every = max(1, (end - begin) // DEFAULT_UPDATES)
        else:
            every = max(1, self.every.steps(total_steps, steps_per_epoch))
            if every > end - begin:
                raise ValueError(
                    f"schedule.every is {every} steps ({self.every}), but begin and end are only {end - begin} steps "
                    "apart: the masks would never be renewed."
                )
        return ResolvedSchedule(self, begin, begin + (end - begin) // every * every, every, total_steps)


class Polynomial(ScheduleBase):
    """Rises fast at first and slows down: s = final + (initial - final) * (1 - progress)^power."""

    kind: Literal["polynomial"] = "polynomial"
    """The name of the schedule."""
    initial: Share = 0.0
    """Sparsity at begin."""
    final: Share
    """Sparsity at end."""
    power: Annotated[float, Field(gt=0)] = 3.0
    """Exponent of the curve; 1 is a straight line, tfmot's default is 3."""

    _sparsity = field_validator("initial", "final")(_check_sparsity)

    @model_validator(mode="after")
    def _rises(self) -> Polynomial:
        if self.initial > self.final:
            raise KeyMistake(
                ("initial",),
                f"initial is {format_share(self.initial)}, above final ({format_share(self.final)}): "
                "pruning never gives zeros back; make initial at most final",
            )
        return self

    def final_sparsity(self) -> float:
        return self.final

    def ramp(self, progress: float) -> float:
        return float(self.final + (self.initial - self.final) * (1 - progress) ** self.power)


class Constant(ScheduleBase):
    """The final sparsity at once, renewed until the end."""

    kind: Literal["constant"] = "constant"
    """The name of the schedule."""
    final: Share
    """Sparsity from begin on."""

    _sparsity = field_validator("final")(_check_sparsity)

    def final_sparsity(self) -> float:
        return self.final

    def ramp(self, progress: float) -> float:
        return self.final


Schedule = Annotated[Polynomial | Constant, Field(discriminator="kind")]
"""Any sparsity schedule."""


@dataclass(frozen=True)
class ResolvedSchedule:
    """A schedule in optimizer steps of one stage.

    Args:
        schedule: what the recipe says.
        begin: first step at which masks are renewed.
        end: last step at which masks are renewed; `end - begin` is a multiple of `every`, so the final sparsity is
            really reached (tfmot renews only at those steps).
        every: steps between two renewals.
        total_steps: steps of the stage.
    """

    schedule: ScheduleBase
    begin: int
    end: int
    every: int
    total_steps: int

    def sparsity_at(self, step: int) -> float:
        """Planned sparsity after `step` optimizer steps, with the staircase of the renewals."""
        if step < self.begin:
            return 0.0
        renewed = min(step, self.end) - self.begin
        progress = renewed // self.every * self.every / (self.end - self.begin)
        return self.schedule.ramp(progress)

    def curve(self, points: int = 60) -> list[tuple[int, float]]:
        """`points` pairs of (step, planned sparsity), evenly spaced over the stage, for drawing."""
        steps = [round(index * self.total_steps / (points - 1)) for index in range(points)]
        return [(step, self.sparsity_at(step)) for step in steps]


def schedule_kinds() -> dict[str, type[ScheduleBase]]:
    """All schedules by the name that a recipe uses."""
    kinds: list[Any] = [Polynomial, Constant]
    return {kind.model_fields["kind"].default: kind for kind in kinds}
