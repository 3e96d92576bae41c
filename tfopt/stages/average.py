"""The average of the weights of models with the same layers: one model of the same size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from tfopt.core.config.ensembling import Averaging
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.stage import Stage, StageContext
from tfopt.core.contracts.types import Model
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.suggest import closest

if TYPE_CHECKING:
    from tfopt.core.contracts.preflight import Preflight, Workload
    from tfopt.core.contracts.result import StageResult


class Average(Averaging, Stage):
    """Averages the incoming model's weights with those of models that began from the same weights.

    Weights that are zero in a sparse incoming model stay zero; the statistics of batch normalization are estimated
    again on the training split.
    """

    adds: ClassVar[frozenset[Trait]] = frozenset({"trained"})
    keeps: ClassVar[frozenset[Trait]] = frozenset({"sparse"})

    def problems(self) -> Sequence[Mistake]:
        if self.epochs_of is not None and self.models:
            text = "cannot be combined with epochs_of: average either models or epochs"
            return [Mistake(("models",), text, code="conflicting_keys")]
        if self.epochs_of is None and not self.models:
            text = "needs something to average: other models, or epochs_of with the name of a stage."
            return [Mistake((), text, code="missing_key")]
        labels = [source.label for source in self.models]
        return [
            Mistake(("models", index), f"names {label} twice", code="duplicate_name")
            for index, label in enumerate(labels)
            if label in labels[:index]
        ]

    def problems_after(self, earlier: Sequence[Stage]) -> Sequence[Mistake]:
        if not earlier:
            text = "needs a stage before it: the incoming model has learned nothing."
            return [Mistake((), text, code="nothing_trained")]
        if self.epochs_of is None:
            return ()
        stages = {stage.name: stage for stage in earlier}
        stage = stages.get(self.epochs_of)
        if stage is None:
            known = closest(self.epochs_of, stages) or f" Earlier stages: {', '.join(stages)}."
            text = f"is {self.epochs_of!r}, not an earlier stage.{known}"
            return [Mistake(("epochs_of",), text, code="no_earlier_stage")]
        if len(stage.kept_epochs()) < 2:
            text = f"is {stage.name!r}, which keeps no two epochs. Write keep: [...] with their numbers in {stage.name}"
            return [Mistake(("epochs_of",), text, code="epoch_not_kept")]
        return ()

    def depends_on(self) -> tuple[str, ...]:
        return () if self.epochs_of is None else (self.epochs_of,)

    def preflight(self, model: Model, workload: Workload) -> Preflight:
        from tfopt.backend.stages import average as averaging

        return averaging.preflight(model, self, workload)

    def apply(self, model: Model, context: StageContext) -> StageResult:
        from tfopt.backend.stages import average as averaging

        return averaging.average(model, self, context)
