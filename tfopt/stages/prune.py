"""Magnitude pruning with fine-tuning: tfmot's `prune_low_magnitude` under a sparsity schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from tfopt.core.config.allocation import global_allocation
from tfopt.core.config.pruning import Pruning
from tfopt.core.config.schedules import Metric, Threshold
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.rewinding import rewind_problems
from tfopt.core.contracts.stage import Stage, StageContext, TrainingStage
from tfopt.core.contracts.types import Model
from tfopt.core.language.block import Block
from tfopt.core.language.mistakes import Mistake, RecipePath, below
from tfopt.core.language.quantities import Span

if TYPE_CHECKING:
    from tfopt.core.contracts.preflight import Preflight, Workload
    from tfopt.core.contracts.result import StageResult


class Prune(Pruning, TrainingStage):
    """Sets the smallest weights to zero, step by step, while the rest learns to do without them.

    The wrappers are gone from the result. Sparsity is measured after the stage and again in every file.
    """

    adds: ClassVar[frozenset[Trait]] = frozenset({"trained", "sparse"})

    def warmup_end(self) -> Span | None:
        return self.schedule.end

    def problems(self) -> Sequence[Mistake]:
        found: list[Mistake] = []
        if self.sparsity_m_by_n and self.block_size != (1, 1):
            text = "cannot be combined with block_size: choose one pattern of zeros."
            found.append(Mistake(("sparsity_m_by_n",), text, code="conflicting_keys"))
        if self.policy == "xnnpack_blocks" and self.sparsity_m_by_n:
            text = "is xnnpack_blocks, which arranges zeros in blocks: it cannot be combined with sparsity_m_by_n."
            found.append(Mistake(("policy",), text, code="conflicting_keys"))
        elif self.policy == "xnnpack_blocks" and self.block_size not in ((1, 1), (4, 1), (16, 1)):
            text = "must be [16, 1] (int8 and float32) or [4, 1] (float32 only) with policy: xnnpack_blocks"
            found.append(Mistake(("block_size",), text, code="conflicting_keys"))
        for index, rule in enumerate(self.layers if self.policy == "xnnpack_blocks" else ()):
            if rule.sparsity_m_by_n:
                text = "cannot be combined with policy: xnnpack_blocks, which arranges zeros in blocks."
                found.append(Mistake(("layers", index, "sparsity_m_by_n"), text, code="conflicting_keys"))
            elif rule.block_size not in (None, (4, 1), (16, 1)):
                text = "must be [16, 1] (int8 and float32) or [4, 1] (float32 only) with policy: xnnpack_blocks"
                found.append(Mistake(("layers", index, "block_size"), text, code="conflicting_keys"))
        bounds = global_allocation(self.allocation)
        if bounds is not None and self.sparsity_m_by_n:
            text = "cannot be combined with sparsity_m_by_n: it gives all layers the same."
            found.append(Mistake(("allocation",), text, code="conflicting_keys"))
        elif bounds is not None and (problem := bounds.problem(self.schedule.final_sparsity())) is not None:
            key, message = problem
            path: RecipePath = ("allocation", key) if isinstance(self.allocation, Block) else ("allocation",)
            found.append(Mistake(path, message, code="out_of_range"))
        found += self._threshold_problems(pooled=bounds is not None)
        schedules = [self.schedule, *(rule.schedule for rule in self.layers)]
        if self.rewind is not None and any(isinstance(schedule, Metric) for schedule in schedules):
            reached = "the step at which it reaches its final sparsity, if ever, is not known"
            text = f"cannot be combined with a schedule of kind metric: {reached}."
            found.append(Mistake(("rewind",), text, code="conflicting_keys"))
        return found

    def _threshold_problems(self, *, pooled: bool) -> list[Mistake]:
        """A threshold is for single weights, kernel by kernel."""
        if not isinstance(self.schedule, Threshold):
            return []
        text = "cannot be combined with a schedule of kind threshold, which judges each weight alone"
        keys = {
            "allocation": pooled,
            "block_size": self.block_size != (1, 1),
            "sparsity_m_by_n": self.sparsity_m_by_n is not None,
            "policy": self.policy == "xnnpack_blocks",
        }
        return [Mistake((key,), text, code="conflicting_keys") for key, given in keys.items() if given]

    def problems_after(self, earlier: Sequence[Stage]) -> Sequence[Mistake]:
        if self.rewind is None:
            return ()
        return below(("rewind",), rewind_problems(self.rewind, earlier))

    def depends_on(self) -> tuple[str, ...]:
        return () if self.rewind is None else (self.rewind.stage,)

    def preflight(self, model: Model, workload: Workload) -> Preflight:
        from tfopt.backend.stages import prune as pruning

        return pruning.preflight(model, self, workload)

    def apply(self, model: Model, context: StageContext) -> StageResult:
        from tfopt.backend.stages import prune as pruning

        return pruning.prune(model, self, self, context)
