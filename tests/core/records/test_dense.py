from __future__ import annotations

from tfopt.core.records.dense import dense_stage
from tfopt.core.records.report import StageRecord


def stage(kind: str) -> StageRecord:
    return StageRecord(name=kind, kind=kind, key="k", cached=False, seconds=1, parameters=1, measures={}, layers=[])


def test_copied_weights_are_no_dense_network() -> None:
    copied, trained, pruned, start = (stage(kind) for kind in ("initialize", "distill", "prune", "start"))
    assert dense_stage([copied, trained, pruned]) is trained
    assert dense_stage([start, pruned]) is start
    assert dense_stage([copied]) is copied
