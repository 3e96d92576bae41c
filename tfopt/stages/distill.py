"""Distillation: training that learns from a teacher's outputs in addition to the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tfopt.core.config.distillation import Teacher
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.stage import StageContext, TrainingStage
from tfopt.core.contracts.types import Model

if TYPE_CHECKING:
    from tfopt.core.contracts.result import StageResult


class Distill(TrainingStage):
    """Trains the dense model as `train` does, with a teacher; nothing is added to the model, nothing sparse survives.

    A teacher may be given in any other training stage as well: `prune`, `cluster` and `qat` then keep what they keep.
    """

    adds: ClassVar[frozenset[Trait]] = frozenset({"trained"})

    teacher: Teacher
    """The teacher, and how it is used."""

    def apply(self, model: Model, context: StageContext) -> StageResult:
        from tfopt.backend.stages import fit as training

        return training.train(model, self, context)
