"""Plain training, or fine-tuning, of the dense model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from tfopt.core.stage import StageContext, TrainingStage, Trait


class Train(TrainingStage):
    """Runs the optimizer over the training split; nothing is added to the model, nothing sparse survives."""

    adds: ClassVar[frozenset[Trait]] = frozenset({"trained"})

    keep: tuple[Annotated[int, Field(ge=1)], ...] | None = None
    """Epochs at whose end the weights are kept in the store, for `prune.rewind`."""

    def problems(self) -> Sequence[tuple[tuple[str | int, ...], str]]:
        number = f"{self.epochs} epoch{'s' if self.epochs > 1 else ''}"
        return [
            (("keep", index), f"is {epoch}, but the stage has {number}")
            for index, epoch in enumerate(self.kept_epochs())
            if epoch > self.epochs
        ]

    def kept_epochs(self) -> tuple[int, ...]:
        return self.keep or ()

    def apply(self, model: Any, context: StageContext) -> Any:
        from tfopt.backend import training

        return training.train(model, self, context, keep=self.kept_epochs())
