"""A run that is interrupted, or killed at any moment, goes on where it was, and ends as if nothing had happened.

In CI `test_chains.py` kills a run in qat, `training/test_resuming.py` kills a stage that prunes, and the contracts of
stages interrupt the others.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tfopt
from tests.end_to_end.test_first_recipe import numbers
from tfopt.io.runs.journal import read_events

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
EXPORT = RECIPE[RECIPE.index("export:") :]


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_twenty_kills_at_random_moments_change_no_number(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    begun = time.monotonic()
    command = [sys.executable, "-m", "tfopt", "run", str(recipe), "--out"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    longest = time.monotonic() - begun
    whole = tfopt.show("killed", tmp_path / "whole")
    moments = random.Random(20)
    kills = rounds = 0
    while kills < 20:
        rounds += 1
        out = tmp_path / f"round_{rounds}"
        for _ in range(50):
            child = subprocess.Popen([*command, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                assert child.wait(moments.uniform(0.3, 1) * longest) == 0
                break
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                kills += 1
        assert numbers(tfopt.show("killed", out)) == numbers(whole)
        assert len(list((out / "killed").glob("2*"))) == 1


@pytest.mark.timeout(600)
def test_ctrl_c_keeps_a_checkpoint_says_so_and_goes_on_in_the_same_folder(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.replace("epochs: 3}\n  - prune", "epochs: 300}\n  - prune").replace(EXPORT, "export: {}"))
    out = tmp_path / "out"
    child = subprocess.Popen(
        [sys.executable, "-m", "tfopt", "run", str(recipe), "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background makes its children deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    journal = wait_for_journal(child, out)
    while sum(event["event"] == "epoch" for event in read_events(journal)) < 5:
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Interrupted" in errors
    assert "Traceback" not in errors
    stopped = tfopt.show(journal.parent)
    assert stopped.report.run.state == "interrupted"
    done = sum(event["event"] == "epoch" for event in read_events(journal))
    recipe_now = tfopt.load(recipe)
    heard: list[dict[str, object]] = []

    def stop_soon(event: object) -> None:
        heard.append(dict(event))  # type: ignore[call-overload]
        if sum(e["event"] == "epoch" for e in heard) > done + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tfopt.run(recipe_now, out=out, on_event=stop_soon)
    epochs = [event["epoch"] for event in heard if event["event"] == "epoch"]
    assert epochs == list(range(1, len(epochs) + 1))
    assert len(list((out / "killed").glob("2*"))) == 1


def wait_for_journal(child: subprocess.Popen[str], out: Path) -> Path:
    while child.poll() is None:
        journals = list((out / "killed").glob("2*/events.jsonl"))
        if journals:
            return journals[0]
        time.sleep(0.02)
    raise AssertionError(child.communicate())
