"""Learning rates over the steps of a stage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tfopt.core.language.block import Block, SharedBlock
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.quantities import Span
from tfopt.core.language.wording import counted

PositiveFloat = Annotated[float, Field(gt=0)]


class ConstantRate(SharedBlock):
    """The same rate throughout."""

    kind: Literal["constant"] = "constant"
    """The name of the schedule."""
    initial: PositiveFloat
    """The rate."""


class ExponentialRate(SharedBlock):
    """Multiplied by `factor` over each `every`."""

    kind: Literal["exponential"]
    """The name of the schedule."""
    initial: PositiveFloat
    """Rate at the start of the stage."""
    factor: Annotated[float, Field(gt=0, le=1)] = 0.96
    """Factor by which the rate is multiplied."""
    every: Span = Span(1, "epochs")
    """Over which distance."""
    staircase: bool = False
    """Change at once at each distance instead of smoothly."""


class CosineRate(SharedBlock):
    """Linear warm-up, then half a cosine down to `final` (Loshchilov and Hutter 2017, arXiv:1608.03983)."""

    kind: Literal["cosine"]
    """The name of the schedule."""
    initial: PositiveFloat
    """Rate after the warm-up."""
    final: Annotated[float, Field(ge=0)] = 0.0
    """Rate at the end of the stage."""
    warmup: Span = Span(0, "%")
    """Length of the linear rise from zero."""


class RateStep(Block):
    """From `at` on, the rate is `rate`."""

    at: Span
    """Position in the stage."""
    rate: PositiveFloat
    """The rate from there on."""


class PiecewiseRate(SharedBlock):
    """A list of rates, each from its point on."""

    kind: Literal["piecewise"]
    """The name of the schedule."""
    initial: PositiveFloat
    """Rate at the start of the stage."""
    steps: Annotated[tuple[RateStep, ...], Field(min_length=1)]
    """The later rates, in order."""


class PlateauRate(SharedBlock):
    """Multiplied by `factor` when `monitor` has not improved for `patience` epochs."""

    kind: Literal["plateau"]
    """The name of the schedule."""
    initial: PositiveFloat
    """Rate at the start of the stage."""
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Factor by which the rate is multiplied."""
    patience: Annotated[int, Field(ge=1)] = 3
    """Epochs without improvement before that."""
    monitor: str = "val_loss"
    """The metric that is monitored."""
    final: Annotated[float, Field(ge=0)] = 0.0
    """The lowest rate."""


RateSchedule = Annotated[
    ConstantRate | ExponentialRate | CosineRate | PiecewiseRate | PlateauRate, Field(discriminator="kind")
]
"""Any learning-rate schedule."""

LearningRate = PositiveFloat | RateSchedule
"""A number, or a schedule."""


def rate_misfits(rate: LearningRate, total_steps: int, steps_per_epoch: int) -> list[Mistake]:
    """Parts of a rate that a stage would never reach.

    Args:
        rate: of the stage.
        total_steps: optimizer steps of the stage.
        steps_per_epoch: optimizer steps of one epoch.

    Returns:
        Mistakes whose paths begin below the rate, each a whole sentence.
    """
    if isinstance(rate, CosineRate) and (warmup := rate.warmup.steps(total_steps, steps_per_epoch)) >= total_steps:
        message = f"is {counted(warmup, 'step')}, but the stage has only {total_steps}. Shorten the warm-up."
        return [Mistake(("warmup",), message, code="outside_stage")]
    if not isinstance(rate, PiecewiseRate):
        return []
    starts = [step.at.steps(total_steps, steps_per_epoch) for step in rate.steps]
    if sorted(set(starts)) != starts:
        message = f"must be in order. Got steps {starts}. Sort them by `at`."
        return [Mistake(("steps",), message, code="wrong_order")]
    if starts[0] < 1 or starts[-1] >= total_steps:
        message = (
            f"begin at steps {starts}; each must lie within the stage's {total_steps} steps, after the first. A rate "
            "from the first step on is `initial`."
        )
        return [Mistake(("steps",), message, code="outside_stage")]
    return []


__all__ = [
    "ConstantRate",
    "CosineRate",
    "ExponentialRate",
    "LearningRate",
    "PiecewiseRate",
    "PlateauRate",
    "RateSchedule",
    "RateStep",
    "rate_misfits",
]
