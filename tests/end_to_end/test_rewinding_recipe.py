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
export: {keras: {}}
"""


def test_the_kept_weights_come_from_the_store_in_a_later_run(tmp_path: Path) -> None:
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
        assert pruned.measures["accuracy"] > 0.8


def test_the_same_weights_come_out_with_the_dense_stage_just_run_and_from_the_store(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.replace("epochs: 6", "epochs: 2").replace("epochs: 8", "epochs: 1"))
    first = tfopt.run(path, out=tmp_path / "out").report.stages[1]
    Store(tmp_path / "out" / ".store").remove(first.key)
    again = tfopt.run(tfopt.load(path, ["export.tflite.float32.quantize=none"]), out=tmp_path / "out").report.stages[1]
    assert not again.cached
    assert again.measures == first.measures
