"""Sparsity schedules as pure functions of the step, one kind per file.

A schedule is written relative to its stage (`begin: 10%`, `every: 20 steps`) and resolved once the number of
steps is known. Drawn and tested without TensorFlow; `tfopt.backend.pruning.masks` turns a resolved one into a tfmot
`PruningSchedule` in one place.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tfopt.core.config.schedules.base import DEFAULT_UPDATES, MaskUpdate, ResolvedSchedule, ScheduleBase
from tfopt.core.config.schedules.constant import Constant
from tfopt.core.config.schedules.cosine import Cosine
from tfopt.core.config.schedules.cyclic import Cyclic
from tfopt.core.config.schedules.exponential import Exponential
from tfopt.core.config.schedules.iterative import Iterative
from tfopt.core.config.schedules.linear import Linear
from tfopt.core.config.schedules.metric import LevelState, Metric, SparsityLevels
from tfopt.core.config.schedules.one_shot import OneShot
from tfopt.core.config.schedules.polynomial import Polynomial
from tfopt.core.config.schedules.stepwise import SparsityStep, Stepwise
from tfopt.core.config.schedules.threshold import Threshold

__all__ = [
    "DEFAULT_UPDATES",
    "Constant",
    "Cosine",
    "Cyclic",
    "Exponential",
    "Iterative",
    "LevelState",
    "Linear",
    "MaskUpdate",
    "Metric",
    "OneShot",
    "Polynomial",
    "ResolvedSchedule",
    "Schedule",
    "ScheduleBase",
    "SparsityLevels",
    "SparsityStep",
    "Stepwise",
    "Threshold",
    "schedule_kinds",
]  # fmt: skip

Schedule = Annotated[
    Polynomial
    | Constant
    | Linear
    | Cosine
    | Exponential
    | Stepwise
    | OneShot
    | Iterative
    | Cyclic
    | Metric
    | Threshold,
    Field(discriminator="kind"),
]
"""Any sparsity schedule."""


def schedule_kinds() -> dict[str, type[ScheduleBase]]:
    """The schedules with a sparsity of their own, by the name that a recipe uses: all but `threshold`."""
    kinds: tuple[type[ScheduleBase], ...] = (
        Polynomial, Constant, Linear, Cosine, Exponential, Stepwise, OneShot, Iterative, Cyclic, Metric,
    )  # fmt: skip
    return {kind.model_fields["kind"].default: kind for kind in kinds}
