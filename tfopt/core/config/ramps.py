"""Numbers that change over the steps of a stage: a temperature that cools, a weight that grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tfopt.core.language.block import Block
from tfopt.core.language.quantities import Span
from tfopt.core.language.wording import counted


class Change(Block):
    """From `initial` to `final`, between two points of the stage; constant before and after."""

    kind: Literal["linear", "cosine"] = "linear"
    """`linear`: evenly; `cosine`: slowly at both ends."""
    initial: float
    """The number up to `begin`."""
    final: float
    """The number from `end` on."""
    begin: Span = Span(0.0, "%")
    """Position at which the change begins."""
    end: Span = Span(1.0, "%")
    """Position at which it is complete."""


RampValue = float | Change
"""A number, or how it changes."""


@dataclass(frozen=True)
class ResolvedChange:
    """A number over the optimizer steps of a stage.

    Args:
        kind: how it gets from `initial` to `final`.
        initial: the number up to step `begin`.
        final: the number from step `end` on.
        begin: steps taken when the change begins.
        end: steps taken when it is complete; above `begin`.
    """

    kind: Literal["linear", "cosine"]
    initial: float
    final: float
    begin: int
    end: int

    def at(self, step: int) -> float:
        """The number after `step` optimizer steps."""
        progress = min(1.0, max(0.0, (step - self.begin) / (self.end - self.begin)))
        if self.kind == "cosine":
            progress = (1 - math.cos(math.pi * progress)) / 2
        return self.initial + (self.final - self.initial) * progress


def extremes(value: RampValue) -> Sequence[tuple[tuple[str, ...], float]]:
    """The numbers between which a value stays, each with its path below the value."""
    if isinstance(value, Change):
        return [(("initial",), value.initial), (("final",), value.final)]
    return [((), value)]


def resolve(value: RampValue, total_steps: int, steps_per_epoch: int) -> ResolvedChange:
    """A value over the steps of one stage.

    Raises:
        ValueError: the change does not lie within the stage.
    """
    if not isinstance(value, Change):
        return ResolvedChange("linear", value, value, 0, 1)
    begin = value.begin.steps(total_steps, steps_per_epoch)
    end = value.end.steps(total_steps, steps_per_epoch)
    if not begin < end <= total_steps:
        raise ValueError(
            f"goes from step {begin} ({value.begin}) to step {end} ({value.end}); expected begin before end, and both "
            f"within the {counted(total_steps, 'step')} of the stage"
        )
    return ResolvedChange(value.kind, value.initial, value.final, begin, end)
