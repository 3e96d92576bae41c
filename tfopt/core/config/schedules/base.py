"""The base of sparsity schedules: begin and end, resolution into optimizer steps, checks."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import field_validator, model_validator

from tfopt.core.language.block import Block, KeyMistake
from tfopt.core.language.quantities import Share, Span, format_share
from tfopt.core.language.wording import counted

MaskUpdate = tuple[int, float]
"""(step, sparsity from that step on)."""


@dataclass(frozen=True)
class ResolvedSchedule:
    """A schedule in optimizer steps of one stage.

    Args:
        schedule: what the recipe says.
        begin: first step at which masks can be updated.
        end: last step at which masks can be updated; from there on sparsity stays what it is.
        every: steps between two mask_updates; None where they are not evenly spaced.
        total_steps: steps of the stage.
        mask_updates: the steps at which masks are updated, ascending, each with the sparsity from there on. One at step
            0 is carried out in the first step, which is step 1.
    """

    schedule: ScheduleBase
    begin: int
    end: int
    every: int | None
    total_steps: int
    mask_updates: tuple[MaskUpdate, ...]

    def sparsity_at(self, step: int) -> float:
        """Planned sparsity after `step` optimizer steps: that of the latest update, 0 before the first."""
        latest = bisect_right(self.mask_updates, step, key=lambda update: update[0]) - 1
        return self.mask_updates[latest][1] if latest >= 0 else 0.0

    def curve(self, points: int = 60) -> list[tuple[int, float]]:
        """`points` pairs of (step, planned sparsity), evenly spaced over the stage, for drawing."""
        steps = [round(index * self.total_steps / (points - 1)) for index in range(points)]
        return [(step, self.sparsity_at(step)) for step in steps]


DEFAULT_UPDATES = 50
"""Number of mask updates of a ramp without `every`."""


def check_sparsity(value: float) -> float:
    """A share of zeros that leaves at least something.

    Raises:
        ValueError: it does not.
    """
    if not 0 <= value < 1:
        raise ValueError("must be at least 0% and below 100% (write 80% for four zeros in five)")
    return value


class ScheduleBase(Block):
    """Keys and methods of all schedules."""

    if TYPE_CHECKING:
        # Most kinds write both in the recipe; a few derive one or both from what they do write.
        kind: str

        @property
        def begin(self) -> Span:
            """When masks are first updated, from the start of the stage."""

        @property
        def end(self) -> Span:
            """When masks are last updated; what follows is recovery at the final sparsity."""

    def final_sparsity(self) -> float:
        """The share of zeros at the end of the stage."""
        raise NotImplementedError

    def resolve(self, total_steps: int, steps_per_epoch: int) -> ResolvedSchedule:
        """This schedule in steps of a stage.

        Args:
            total_steps: optimizer steps of the whole stage.
            steps_per_epoch: optimizer steps of one epoch.

        Raises:
            ValueError: it would never begin, or end after the stage, or there are too few steps between begin and end
                for what it says (tfmot accepts all of it silently and prunes nothing, or not enough).
        """
        raise NotImplementedError


def check_begin(
    label: str, begin: int, written: Span, total_steps: int, consequence: str = "pruning would never begin"
) -> None:
    """Refuses a step at which the stage is already over.

    Raises:
        ValueError: it is.
    """
    if begin >= total_steps:
        raise ValueError(
            f"schedule.{label} is step {begin} ({written}), but the stage has only "
            f"{counted(total_steps, 'step')}: {consequence}."
        )


class Window(ScheduleBase):
    """A schedule that is written with its begin and end."""

    begin: Span = Span(0.0, "%")
    """When pruning begins, from the start of the stage."""
    end: Span = Span(0.7, "%")
    """When the final sparsity is reached; what follows is recovery at that sparsity."""

    def window(self, total_steps: int, steps_per_epoch: int) -> tuple[int, int]:
        """First and last step of the schedule.

        Raises:
            ValueError: they are not within the stage, or not in this order.
        """
        begin = self.begin.steps(total_steps, steps_per_epoch)
        end = self.end.steps(total_steps, steps_per_epoch)
        check_begin("begin", begin, self.begin, total_steps)
        if end > total_steps:
            raise ValueError(
                f"schedule.end is step {end} ({self.end}), but the stage has only {counted(total_steps, 'step')}: "
                f"{self.final_sparsity():.0%} would never be reached."
            )
        if end <= begin:
            raise ValueError(
                f"schedule.end (step {end}, {self.end}) must come after begin (step {begin}, {self.begin})."
            )
        return begin, end


def update_distance(every: Span | None, begin: int, end: int, total_steps: int, steps_per_epoch: int) -> int:
    """Steps between two mask_updates.

    Raises:
        ValueError: mask_updates would be rarer than the schedule is long.
    """
    if every is None:
        return max(1, (end - begin) // DEFAULT_UPDATES)
    distance = max(1, every.steps(total_steps, steps_per_epoch))
    if distance > end - begin:
        raise ValueError(
            f"schedule.every is {counted(distance, 'step')} ({every}), but begin and end are only "
            f"{counted(end - begin, 'step')} apart: "
            "the masks would never be updated."
        )
    return distance


class EvenlyUpdated(Window):
    """A schedule whose masks are updated at even distances from begin to end."""

    every: Span | None = None
    """How often the masks are updated between begin and end (default: 50 times)."""

    def ramp(self, progress: float) -> float:
        """Sparsity at `progress` (0 at begin, 1 at end)."""
        raise NotImplementedError

    def resolve(self, total_steps: int, steps_per_epoch: int) -> ResolvedSchedule:
        begin, end = self.window(total_steps, steps_per_epoch)
        every = update_distance(self.every, begin, end, total_steps, steps_per_epoch)
        # The last update is the end: were the distance no divisor, the final sparsity would never be reached.
        end = begin + (end - begin) // every * every
        mask_updates = [(step, self.ramp((step - begin) / (end - begin))) for step in range(begin, end + 1, every)]
        return ResolvedSchedule(self, begin, end, every, total_steps, tuple(mask_updates))


class Ramp(EvenlyUpdated):
    """A schedule that rises from `initial` to `final`."""

    initial: Share = 0.0
    """Sparsity at begin."""
    final: Share
    """Sparsity at end."""

    _sparsity = field_validator("initial", "final")(check_sparsity)

    @model_validator(mode="after")
    def _rises(self) -> Ramp:
        check_rise(self.initial, self.final)
        return self

    def final_sparsity(self) -> float:
        return self.final


def check_rise(initial: float, final: float) -> None:
    """Refuses a schedule that would fall.

    Raises:
        KeyMistake: it would.
    """
    if initial > final:
        raise KeyMistake(
            ("initial",),
            f"initial is {format_share(initial)}, above final ({format_share(final)}): "
            "this schedule never gives zeros back; make initial at most final",
            code="wrong_order",
        )


def geometric(initial: float, final: float, progress: float) -> float:
    """Sparsity whose remaining weights shrink by a constant factor from `initial` to `final`."""
    if progress >= 1:
        return final
    return float(1 - (1 - initial) * ((1 - final) / (1 - initial)) ** progress)
