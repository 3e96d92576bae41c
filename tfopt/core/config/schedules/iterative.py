"""Rounds of pruning and recovery.

Han, Pool, Tran and Dally, "Learning both Weights and Connections for Efficient Neural Networks" (2015),
arXiv:1506.02626; each round removes the same share of what is left, as in Renda, Frankle and Carbin, "Comparing
Rewinding and Fine-tuning in Neural Network Pruning" (2020), arXiv:2003.02389.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from tfopt.core.config.schedules.base import ResolvedSchedule, Window, check_sparsity, geometric
from tfopt.core.language.quantities import Share
from tfopt.core.language.wording import counted


class Iterative(Window):
    """Prunes and recovers in rounds, each removing the same share of the rest: 1 - s = (1 - final)^(round / rounds)."""

    kind: Literal["iterative"] = "iterative"
    """The name of the schedule."""
    final: Share
    """Sparsity after the last round."""
    rounds: Annotated[int, Field(ge=2)] = 5
    """How many times to prune: first at begin, last at end, evenly spaced; between them the masks stay as they are."""

    _sparsity = field_validator("final")(check_sparsity)

    def final_sparsity(self) -> float:
        return self.final

    def resolve(self, total_steps: int, steps_per_epoch: int) -> ResolvedSchedule:
        begin, end = self.window(total_steps, steps_per_epoch)
        gaps = self.rounds - 1
        if end - begin < gaps:
            raise ValueError(
                f"schedule.rounds is {self.rounds}, but begin and end are only {counted(end - begin, 'step')} apart: "
                "there would be no step of recovery between two rounds."
            )
        mask_updates = [
            (begin + round(index * (end - begin) / gaps), geometric(0.0, self.final, (index + 1) / self.rounds))
            for index in range(self.rounds)
        ]
        return ResolvedSchedule(self, begin, end, None, total_steps, tuple(mask_updates))
