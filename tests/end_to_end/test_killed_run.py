"""A run that is killed goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import tfopt
from tests.end_to_end.test_first_recipe import numbers
from tfopt.io.journal import read_events

pytestmark = pytest.mark.tf

RECIPE = """
name: killed
seed: 3
data: {source: digits, batch_size: 32}
model: {source: small_cnn, args: {filters: [4, 8]}}
stages:
  - train: {epochs: 3}
  - prune: {epochs: 4, schedule: {kind: polynomial, final: 60%}}
  - qat: {epochs: 3}
export:
  tflite: {int8: {quantize: int8, io: int8}}
"""


def run_until(recipe: Path, out: Path, event: str, count: int) -> None:
    """Runs in a child process and kills it without warning when the journal holds `count` events of a kind."""
    earlier = set((out / "killed").glob("2*"))
    child = subprocess.Popen(
        [sys.executable, "-m", "tfopt", "run", str(recipe), "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        while child.poll() is None:
            journals = [folder / "events.jsonl" for folder in (out / "killed").glob("2*") if folder not in earlier]
            if any(sum(e["event"] == event for e in read_events(j)) >= count for j in journals if j.exists()):
                child.send_signal(signal.SIGKILL)
                child.wait()
                return
            try:
                child.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                continue
        pytest.fail(f"the run ended (exit code {child.returncode}) before {count} x {event}")
    finally:
        child.kill()
        child.wait()


@pytest.mark.timeout(600)
def test_kill_9_in_prune_in_qat_and_in_export_changes_no_number(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    whole = tfopt.run(recipe, out=tmp_path / "whole")
    for event, count in (("epoch", 5), ("epoch", 5), ("export_started", 1)):
        run_until(recipe, tmp_path / "killed", event, count)
    ended = tfopt.run(recipe, out=tmp_path / "killed")
    assert all(stage.cached for stage in ended.report.stages)
    assert numbers(ended) == numbers(whole)
    assert ended.path("int8").read_bytes() == whole.path("int8").read_bytes()
