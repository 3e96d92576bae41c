"""Plain training, or fine-tuning, of the dense model."""

from __future__ import annotations

from typing import Any, ClassVar

from tfopt.core.stage import StageContext, TrainingStage, Trait


class Train(TrainingStage):
    """Runs the optimizer over the training split; nothing is added to the model, nothing sparse survives."""

    adds: ClassVar[frozenset[Trait]] = frozenset({"trained"})

    def apply(self, model: Any, context: StageContext) -> Any:
        from tfopt.backend import training

        return training.train(model, self, context)
