"""The report of a stage or an export about a model and a workload, before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tfopt.core.config.model_source import KnownModel
from tfopt.core.config.schedules import ResolvedSchedule
from tfopt.core.config.training.compile import Compile
from tfopt.core.language.mistakes import Mistake

if TYPE_CHECKING:
    from tfopt.core.config.traits import Trait


@dataclass(frozen=True)
class Workload:
    """Length and inputs of a stage, before it runs.

    Args:
        total_steps: optimizer steps of the stage; 0 where it does not train.
        steps_per_epoch: optimizer steps of one epoch.
        examples: examples of the training split.
        traits: what the model will be when the stage begins.
        sources: the models of `Stage.sources`, by label, in their order.
        compile: optimizer, loss and metrics of the recipe.
        validation: examples of the validation split.
        measurements: folder of measurements of this machine that stages share; None keeps none.
    """

    total_steps: int
    steps_per_epoch: int
    examples: int
    traits: frozenset[Trait] = frozenset()
    sources: Mapping[str, KnownModel] = field(default_factory=dict)
    compile: Compile = field(default_factory=Compile)
    validation: int = 0
    measurements: Path | None = None


@dataclass(frozen=True)
class Preflight:
    """Findings of a stage or an export before training.

    Args:
        schedules: resolved sparsity schedule by layer name.
        skipped: why a layer will be left alone, by layer name.
        problems: mistakes because of which the stage cannot work; paths begin below the stage.
        warnings: sentences worth reading before training.
        notes: further facts about the stage, for `tfopt plan`.
    """

    schedules: Mapping[str, ResolvedSchedule] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Mistake, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def joined(self, other: Preflight) -> Preflight:
        """Both together."""
        return Preflight(
            schedules={**self.schedules, **other.schedules},
            skipped={**self.skipped, **other.skipped},
            problems=(*self.problems, *other.problems),
            warnings=(*self.warnings, *other.warnings),
            notes=(*self.notes, *other.notes),
        )
