"""Sparsity schedules as pure functions of the step, one kind per file.

A schedule is written relative to its stage (`begin: 10%`, `every: 20 steps`) and resolved once the number of
steps is known. Drawn and tested without TensorFlow; `tfopt.backend.tfmot_pruning` turns a resolved one into a tfmot
`PruningSchedule` in one place.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tfopt.core.schedules.base import DEFAULT_UPDATES, ScheduleBase
from tfopt.core.schedules.constant import Constant
from tfopt.core.schedules.cosine import Cosine
from tfopt.core.schedules.cyclic import Cyclic
from tfopt.core.schedules.exponential import Exponential
from tfopt.core.schedules.iterative import Iterative
from tfopt.core.schedules.linear import Linear
from tfopt.core.schedules.metric import Ladder, LadderState, Metric
from tfopt.core.schedules.one_shot import OneShot
from tfopt.core.schedules.polynomial import Polynomial
from tfopt.core.schedules.resolved import Renewal, ResolvedSchedule
from tfopt.core.schedules.stepwise import SparsityStep, Stepwise

__all__ = [
    "DEFAULT_UPDATES", "Constant", "Cosine", "Cyclic", "Exponential", "Iterative", "Ladder", "LadderState", "Linear",
    "Metric", "OneShot", "Polynomial", "Renewal", "ResolvedSchedule", "Schedule", "ScheduleBase", "SparsityStep",
    "Stepwise", "schedule_kinds",
]  # fmt: skip

Schedule = Annotated[
    Polynomial | Constant | Linear | Cosine | Exponential | Stepwise | OneShot | Iterative | Cyclic | Metric,
    Field(discriminator="kind"),
]
"""Any sparsity schedule."""


def schedule_kinds() -> dict[str, type[ScheduleBase]]:
    """All schedules by the name that a recipe uses."""
    kinds: tuple[type[ScheduleBase], ...] = (
        Polynomial, Constant, Linear, Cosine, Exponential, Stepwise, OneShot, Iterative, Cyclic, Metric,
    )  # fmt: skip
    return {kind.model_fields["kind"].default: kind for kind in kinds}
