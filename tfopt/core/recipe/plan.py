"""A plan: every stage with its key and status, every warning, before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tfopt.core.config.model_source import SourceKind
from tfopt.core.config.schedules import ResolvedSchedule
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.trial import TrialConversion
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.layer_support import LayerPreflight
from tfopt.core.records.report import DataRecord


@dataclass(frozen=True)
class PlannedSource:
    """An external model that a stage needs.

    Args:
        label: what it is called (`ModelSource.label`).
        kind: where it comes from.
        key: key of its store entry, or SHA-256 of the file.
        status: `cached`: it exists; `will run`: `stages` are run before the stage that needs it.
        name: what its stages are called when they run: recipe and seed. Empty for files and earlier stages.
        stages: what makes it. Empty for files and earlier stages.
        file: path of the file. Empty for all others.
        traits: what the model will be.
    """

    label: str
    kind: SourceKind
    key: str
    status: Literal["cached", "will run"]
    name: str = ""
    stages: tuple[PlannedStage, ...] = ()
    file: str = ""
    traits: frozenset[Trait] = frozenset()


@dataclass(frozen=True)
class PlannedStage:
    """One stage before it runs.

    Args:
        name: stage name.
        kind: stage kind.
        key: key in the store.
        status: `cached`: taken from the store; `will run`.
        reason: why it is not cached: which part of its key changed.
        epochs: passes over the training split; 0 where the stage does not train.
        steps: optimizer steps.
        schedules: resolved sparsity schedules by layer name.
        parts: what its key is made of.
        sources: external models that it needs.
        notes: further facts about it.
    """

    name: str
    kind: str
    key: str
    status: Literal["cached", "will run"]
    reason: str = ""
    epochs: int = 0
    steps: int = 0
    schedules: Mapping[str, ResolvedSchedule] = field(default_factory=dict)
    parts: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[PlannedSource, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    Args:
        recipe: what was asked.
        stages: in order.
        layers: what each layer of the model allows.
        data: sizes and fingerprint.
        model_key: fingerprint of the starting model: the parent key of the first stage.
        warnings: everything worth knowing before training.
        files: what the converter makes of the untrained model, per `.tflite` of the recipe; empty where it was not
            asked.
    """

    recipe: Recipe
    stages: tuple[PlannedStage, ...]
    layers: tuple[LayerPreflight, ...]
    data: DataRecord
    model_key: str
    warnings: tuple[str, ...] = ()
    files: tuple[TrialConversion, ...] = ()
