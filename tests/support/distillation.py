"""Teachers, students and contexts that the tests of distillation share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.contexts import context
from tfopt.backend.artifacts import stage_artifacts
from tfopt.core.config.distillation import Teacher
from tfopt.core.config.model_source import ModelLocation
from tfopt.core.contracts.stage import StageContext, TrainingStage
from tfopt.stages.distill import Distill


def stored(model: Any, folder: Path) -> Path:
    """A store entry with a model in it."""
    folder.mkdir(parents=True)
    stage_artifacts.save(model, folder)
    return folder


def distiller(
    folder: Path,
    teacher: Teacher,
    places: Mapping[str, Path],
    emit: Callable[..., None] = lambda event: None,
    **more: Any,
) -> StageContext:
    """A context in which the models of a teacher lie at `places`, by what the recipe calls them."""
    known = {
        source.label: ModelLocation(source.label, source.kind, places[source.label]) for source in teacher.sources()
    }
    return replace(context(folder, emit, **more), sources=known)


def distill(teacher: Mapping[str, Any], kind: type[TrainingStage] = Distill, **body: Any) -> Any:
    """A stage with a teacher."""
    return kind.model_validate({"name": "distiller", "epochs": 3, "learning_rate": 3e-3, **body, "teacher": teacher})
