"""Two machines and one store: what one has trained, the other fetches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tfopt
from tfopt.errors import StoreError
from tfopt.io.store.remote import RemoteStore

pytestmark = pytest.mark.tf
pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'tfopt[remote]'")

RECIPE = """
name: shared
data: {source: digits, batch_size: 256}
model: {source: mlp, args: {units: [8]}}
stages:
  - train: {epochs: 1}
  - prune: {epochs: 1, schedule: {kind: constant, final: 50%}}
export:
  tflite: {float32: {}}
"""


def test_a_failed_upload_costs_no_stage_and_another_machine_trains_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, url = tmp_path / "recipe.yaml", (tmp_path / "shared").as_uri()
    recipe.write_text(RECIPE)
    first, second = tmp_path / "first", tmp_path / "second"

    def broken(*_: Any) -> None:
        raise StoreError("Cannot write the store.", "Check it.", code="remote_store")

    with monkeypatch.context() as patch:
        patch.setattr(RemoteStore, "put", broken)
        with pytest.raises(StoreError, match=r"stage is kept in .*first.*, but is not shared\. Cannot write the store"):
            tfopt.run(recipe, out=first, store=url)
    again = tfopt.run(recipe, out=first, store=url)
    assert [stage.cached for stage in again.report.stages] == [True, False]
    assert [stage.status for stage in tfopt.plan(recipe, second, trial=False).stages] == ["will run", "will run"]
    assert [stage.status for stage in tfopt.plan(recipe, second, store=url, trial=False).stages] == ["cached", "cached"]
    changed = tfopt.plan(tfopt.load(recipe, ["stages.prune.epochs=2"]), second, store=url, trial=False).stages[1]
    assert changed.reason == "epochs was 1 and is 2"
    other = tfopt.run(recipe, out=second, store=url)
    assert [stage.cached for stage in other.report.stages] == [True, True]
    assert [stage.measures for stage in other.report.stages] == [stage.measures for stage in again.report.stages]
