"""Which stage of a run is the dense network that everything else is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from tfopt.core.records.report import StageRecord


def dense_stage(stages: Sequence[StageRecord]) -> StageRecord:
    """What drops are counted from: the first stage, or the model of a recipe without training, but no copied weights.

    A student that `initialize` made of a teacher's weights may have chance accuracy.

    Args:
        stages: the records of a run in their order, at least one.
    """
    return next((stage for stage in stages if stage.kind != "initialize"), stages[0])
