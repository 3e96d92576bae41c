"""Going back to earlier weights when pruning has reached its final sparsity.

Renda, Frankle and Carbin, "Comparing Rewinding and Fine-tuning in Neural Network Pruning" (2020), arXiv:2003.02389:
weight rewinding; after Frankle, Dziugaite, Roy and Carbin, "Linear Mode Connectivity and the Lottery Ticket Hypothesis"
(2019), arXiv:1912.05671, who rewind to an early epoch instead of the initialization.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field

from tfopt.core.contracts.stage import Stage, TrainingStage
from tfopt.core.language.block import Block
from tfopt.core.language.suggest import closest


class Rewind(Block):
    """Where the weights that are left go back to."""

    stage: str
    """Name of an earlier training stage, whose `keep` holds the epoch."""
    epoch: Annotated[int, Field(ge=1)]
    """The weights are those at the end of this epoch of it."""

    def problems(self, earlier: Sequence[Stage]) -> Iterator[tuple[tuple[str], str]]:
        """Mistakes beside the earlier stages: pairs of (path below this block, message)."""
        stages = {stage.name: stage for stage in earlier}
        stage = stages.get(self.stage)
        if stage is None:
            known = closest(self.stage, stages) or f" Earlier stages: {', '.join(stages) or 'none'}."
            yield ("stage",), f"is {self.stage!r}, which is no earlier stage.{known}"
        elif not isinstance(stage, TrainingStage) or "keep" not in type(stage).model_fields:
            yield (
                ("stage",),
                f"is {self.stage!r}, a {stage.kind} stage, which keeps no epochs. Name a train stage, the dense one.",
            )
        elif self.epoch > stage.epochs:
            number = f"{stage.epochs} epoch{'s' if stage.epochs > 1 else ''}"
            yield ("epoch",), f"is {self.epoch}, but {stage.name} has {number}"
        elif self.epoch not in (kept := stage.kept_epochs()):
            written = ", ".join(str(epoch) for epoch in sorted({*kept, self.epoch}))
            yield (
                ("epoch",),
                f"is {self.epoch}, but {stage.name} does not keep the weights of that epoch. "
                f"Write keep: [{written}] in {stage.name}.",
            )
