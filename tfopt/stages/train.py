"""Plain training, or fine-tuning, of the dense model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from tfopt.core.config.traits import Trait
from tfopt.core.contracts.stage import StageContext, TrainingStage
from tfopt.core.contracts.types import Model
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.wording import counted

if TYPE_CHECKING:
    from tfopt.core.contracts.preflight import Preflight, Workload
    from tfopt.core.contracts.result import StageResult


class Train(TrainingStage):
    """Runs the optimizer over the training split; nothing is added to the model, nothing sparse survives."""

    adds: ClassVar[frozenset[Trait]] = frozenset({"trained"})

    keep: tuple[Annotated[int, Field(ge=1)], ...] | None = None
    """Epochs at whose end the weights are kept in the store, for `prune.rewind` and `average.epochs_of`."""
    moving_average: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Ends with the exponential moving average of the weights, of which each step keeps this share (such as 0.99), in
    place of the weights of the last step; the statistics of batch normalization are estimated again."""

    def problems(self) -> Sequence[Mistake]:
        number = f"{counted(self.epochs, 'epoch')}"
        found: list[Mistake] = [
            Mistake(("keep", index), f"is {epoch}, but the stage has {number}", code="outside_stage")
            for index, epoch in enumerate(self.kept_epochs())
            if epoch > self.epochs
        ]
        if self.moving_average is not None and self.early_stopping is not None and self.early_stopping.restore_best:
            text = "cannot be combined with early_stopping.restore_best: the result is the average or the best epoch"
            found.append(Mistake(("moving_average",), text, code="conflicting_keys"))
        return found

    def preflight(self, model: Model, workload: Workload) -> Preflight:
        found = super().preflight(model, workload)
        if self.moving_average is None or not workload.total_steps:
            return found
        steps = round(1 / (1 - self.moving_average))
        if 2 * steps < workload.total_steps:
            return found
        text = (
            f"moving_average: {self.moving_average:g} averages over about {counted(steps, 'step')}, but the stage has "
            f"{workload.total_steps}: the result remembers the weights that it began with."
        )
        return replace(found, warnings=(*found.warnings, text))

    def kept_epochs(self) -> tuple[int, ...]:
        return self.keep or ()

    def apply(self, model: Model, context: StageContext) -> StageResult:
        from tfopt.backend.stages import fit as training

        return training.train(model, self, context, keep=self.kept_epochs(), moving_average=self.moving_average)
