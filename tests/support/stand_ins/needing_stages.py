"""A stage that needs a model from elsewhere and takes its place."""

from __future__ import annotations

from typing import Any, ClassVar

from tfopt.core.config.model_source import ModelSource
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.result import StageResult
from tfopt.core.contracts.stage import Stage, StageContext


class Take(Stage):
    """Goes on with another model."""

    kind = "take"
    adds: ClassVar[frozenset[Trait]] = frozenset({"trained"})

    model: ModelSource
    """The other model."""

    def apply(self, model: Any, context: StageContext) -> StageResult:
        from tfopt.backend.artifacts import external_models

        return StageResult(external_models.load_external_model(context.sources[self.model.label]))
