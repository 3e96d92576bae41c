"""Alternating sparse and dense phases.

Peste, Iofinova, Vladu and Alistarh, "AC/DC: Alternating Compressed/DeCompressed Training of Deep Neural Networks"
(2021), arXiv:2106.12379.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from tfopt.core.config.schedules.base import ResolvedSchedule, Window, check_sparsity
from tfopt.core.language.quantities import Share
from tfopt.core.language.wording import counted


class Cyclic(Window):
    """Alternates between sparse and dense phases of equal length, so that weights can grow back; ends sparse."""

    kind: Literal["cyclic"] = "cyclic"
    """The name of the schedule."""
    final: Share
    """Sparsity of every sparse phase; it is 0 in the dense ones."""
    cycles: Annotated[int, Field(ge=1)] = 3
    """How many times between begin and end the model is sparse and then dense; what follows the end is sparse."""

    _sparsity = field_validator("final")(check_sparsity)

    def final_sparsity(self) -> float:
        return self.final

    def resolve(self, total_steps: int, steps_per_epoch: int) -> ResolvedSchedule:
        begin, end = self.window(total_steps, steps_per_epoch)
        phases = 2 * self.cycles
        if end - begin < phases:
            raise ValueError(
                f"schedule.cycles is {self.cycles}, which makes {phases} phases, but begin and end are only "
                f"{counted(end - begin, 'step')} apart."
            )
        mask_updates = [
            (begin + round(index * (end - begin) / phases), 0.0 if index % 2 else self.final)
            for index in range(phases + 1)
        ]
        return ResolvedSchedule(self, begin, end, None, total_steps, tuple(mask_updates))
