"""Several models joined into one model, and so into one file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from tfopt.core.config.ensembling import Ensembling
from tfopt.core.config.model_source import ModelSource
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.stage import Stage, StageContext, TrainingStage
from tfopt.core.contracts.types import Model
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.wording import counted

if TYPE_CHECKING:
    from tfopt.core.contracts.preflight import Preflight, Workload
    from tfopt.core.contracts.result import StageResult


class Ensemble(Ensembling, Stage):
    """Joins the incoming model and others over one input; the result is as large and as slow as all together.

    The layers of the incoming model keep their names; those of the others begin with `member2_`, `member3_`, ...
    """

    adds: ClassVar[frozenset[Trait]] = frozenset({"trained"})
    keeps: ClassVar[frozenset[Trait]] = frozenset({"sparse", "clustered"})

    def sources(self, seed: int) -> tuple[ModelSource, ...]:
        more = range(seed + 1, seed + (self.seeds or 1))
        return (*self.members, *(ModelSource(seed=another) for another in more))

    def problems(self) -> Sequence[Mistake]:
        found: list[Mistake] = []
        number = self.num_members()
        if number < 2:
            text = "needs at least two members. Name others in members, or write seeds: 3."
            found.append(Mistake((), text, code="missing_key"))
        if self.seeds and not self.incoming:
            text = "is false, but the incoming model is the first of those that seeds counts"
            found.append(Mistake(("incoming",), text, code="conflicting_keys"))
        labels = [member.label for member in self.members]
        found += [
            Mistake(("members", index), f"names {label} twice: give it a larger weight", code="duplicate_name")
            for index, label in enumerate(labels)
            if label in labels[:index]
        ]
        if isinstance(self.weights, tuple):
            total = sum(self.weights)
            if len(self.weights) != number:
                text = f"has {counted(len(self.weights), 'entry', 'entries')}, but there are {number} members"
                found.append(Mistake(("weights",), text, code="wrong_length"))
            elif abs(total - 1) > 0.002:
                scaled = ", ".join(f"{weight / total:.3g}" for weight in self.weights)
                text = f"sum to {total:.4g}, but must sum to 1: [{scaled}]"
                found.append(Mistake(("weights",), text, code="weights_sum"))
        return found

    def problems_after(self, earlier: Sequence[Stage]) -> Sequence[Mistake]:
        if self.incoming and not earlier:
            text = "is true, but no stage comes before: the incoming model has learned nothing. Write incoming: false"
            return [Mistake(("incoming",), text, code="nothing_trained")]
        return ()

    def problems_before(self, later: Sequence[Stage]) -> Sequence[Mistake]:
        training = next((stage.name for stage in later if isinstance(stage, TrainingStage)), None)
        if self.combine != "vote" or training is None:
            return ()
        text = f"is 'vote', through which {training} cannot train: a vote has no gradient. Use 'probabilities'"
        return [Mistake(("combine",), text, code="no_gradient")]

    def preflight(self, model: Model, workload: Workload) -> Preflight:
        from tfopt.backend.stages import ensemble as ensembling

        return ensembling.preflight(model, self, workload)

    def layers_after(self, model: Model, workload: Workload) -> Model:
        from tfopt.backend.stages import ensemble as ensembling

        return ensembling.layers_after(model, self, workload)

    def apply(self, model: Model, context: StageContext) -> StageResult:
        from tfopt.backend.stages import ensemble as ensembling

        return ensembling.ensemble(model, self, context)
