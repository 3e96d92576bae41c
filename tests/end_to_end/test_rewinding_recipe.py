"""A recipe that prunes and goes back to earlier weights, with the dense stage just run and from the store."""

from __future__ import annotations

from pathlib import Path

import pytest

import tfopt
from tfopt.io.store.store import Store

pytestmark = pytest.mark.tf

RECIPE = """
name: rewind
data: {source: digits, batch_size: 64}
model: {source: mlp, args: {units: [32]}}
stages:
  - train: {epochs: 6, keep: [2]}
  - prune: {epochs: 8, schedule: {kind: one_shot, final: 60%}, rewind: {stage: train, epoch: 2}}
export: {}
"""


def test_the_kept_weights_come_from_the_store_in_later_runs(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    first = tfopt.run(path, out=tmp_path / "out")
    store = Store(tmp_path / "out" / ".store")
    dense = store.folder(first.report.stages[0].key)
    assert [one.name for one in (dense / "snapshots").iterdir()] == ["epoch_2.npz"]
    assert not list((tmp_path / "out" / ".store" / "work").iterdir())

    again = tfopt.run(tfopt.load(path, ["stages.prune.learning_rate=0.002"]), out=tmp_path / "out")
    assert [stage.cached for stage in again.report.stages] == [True, False]
    for run in (first, again):
        pruned = run.report.stages[1]
        assert pruned.details["rewind"] == {"stage": "train", "epoch": 2, "before_step": 2}
        assert pruned.measures["sparsity"] == pytest.approx(0.6, abs=0.01)
        assert pruned.measures["accuracy"] > 0.65

    store.remove(first.report.stages[1].key)
    other = tfopt.run(tfopt.load(path, ["export.tflite.float32.quantize=none"]), out=tmp_path / "out")
    assert [stage.cached for stage in other.report.stages] == [True, False]
    assert other.report.stages[1].measures == first.report.stages[1].measures, "as with the dense stage just run"
