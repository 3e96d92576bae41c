"""Removes channels, attention heads and widths to a budget: a smaller network, not one with zeros."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from tfopt.core.config.schedules import Metric, Threshold
from tfopt.core.config.shrinking import GroupKind, Shrinking
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.stage import Stage, StageContext, TrainingStage
from tfopt.core.contracts.types import Model
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.quantities import Span, format_share

if TYPE_CHECKING:
    from tfopt.core.contracts.preflight import Preflight, Workload
    from tfopt.core.contracts.result import StageResult


class Shrink(Shrinking, TrainingStage):
    """Removes the least important channels, heads and widths until a budget is met, and trains what is left.

    The tensors are smaller, so that every kernel, GPU and accelerator gains; later stages take the result as any model.
    """

    version: ClassVar[int] = 4
    adds: ClassVar[frozenset[Trait]] = frozenset({"trained"})
    on_replicas: ClassVar[bool] = False  # scores need gradients outside of a replica's step, where a strategy has none

    def warmup_end(self) -> Span | None:
        return None if self.schedule is None else self.schedule.end

    def problems(self) -> Sequence[Mistake]:
        found: list[Mistake] = []
        limit = self.to.limit
        if self.group_lasso is not None and self.schedule is None:
            text = "needs a schedule: without one, units are removed before training."
            found.append(Mistake(("group_lasso",), text, code="conflicting_keys"))
        if self.reconstruct == "updates" and self.schedule is None:
            text = "is updates, but there is no schedule: write true, which solves weights when units are removed"
            found.append(Mistake(("reconstruct",), text, code="conflicting_keys"))
        if limit is None and self.allocation != "global":
            text = f"is {self.allocation}, but to.threshold decides for each unit alone. Leave it out"
            found.append(Mistake(("allocation",), text, code="conflicting_keys"))
        if self.remove is not None and "rank" in self.remove:
            found += self._rank_problems(self.remove)
        if self.schedule is None:
            return found
        if limit is None:
            text = "cannot be combined with to.threshold: how much will be removed is not known."
            found.append(Mistake(("schedule",), text, code="conflicting_keys"))
        elif isinstance(self.schedule, Metric | Threshold):
            text = f"of kind {self.schedule.kind} is not for shrink, which has to meet its budget. Choose another kind"
            found.append(Mistake(("schedule",), text, code="conflicting_keys"))
        elif limit.relative and abs(self.schedule.final_sparsity() - (1 - limit.amount)) > 0.005:
            final, gone = format_share(self.schedule.final_sparsity()), format_share(round(1 - limit.amount, 6))
            text = f"ends at {final}, but to.{limit.cost}: {limit} means that {gone} are removed. Write {gone}"
            found.append(Mistake(("schedule",), text, code="conflicting_keys"))
        return found

    def _rank_problems(self, kinds: tuple[GroupKind, ...]) -> list[Mistake]:
        if self.schedule is not None:
            text = "names rank, which cannot be combined with a schedule: kernels are factorized before training."
            return [Mistake(("remove",), text, code="conflicting_keys")]
        if len(set(kinds)) > 1 and self.allocation != "sensitivity":
            text = (
                "names rank together with others: scores of units and of singular values cannot be compared. "
                "Write allocation: sensitivity, which measures both, or remove: [rank]"
            )
            return [Mistake(("remove",), text, code="conflicting_keys")]
        return []

    def problems_after(self, earlier: Sequence[Stage]) -> Sequence[Mistake]:
        if any("trained" in stage.adds for stage in earlier):
            return ()
        text = "needs a trained model to see what can go, but no stage comes before it: train first."
        return [Mistake((), text, code="nothing_trained")]

    def depends_on_machine(self) -> bool:
        return self.to.latency is not None

    def preflight(self, model: Model, workload: Workload) -> Preflight:
        from tfopt.backend.stages import shrink_preflight

        return shrink_preflight.preflight(model, self, workload)

    def layers_after(self, model: Model, workload: Workload) -> Model:
        from tfopt.backend.stages import shrink_preflight

        return shrink_preflight.layers_after(model, self)

    def apply(self, model: Model, context: StageContext) -> StageResult:
        from tfopt.backend.stages import shrink as shrinking

        return shrinking.shrink(model, self, self, context)
