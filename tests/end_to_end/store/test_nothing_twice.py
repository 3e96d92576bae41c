"""What is finished is not done again: stages from the store, runs from their folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import tfopt
from tests.end_to_end.test_first_recipe import numbers
from tfopt.core.records.run import Run
from tfopt.io.store.store import Store

pytestmark = pytest.mark.tf

RECIPE = """
name: twice
data: {source: digits, batch_size: 256}
model: {source: mlp, args: {units: [8]}}
stages:
  - train: {epochs: 1}
  - prune: {epochs: 1, schedule: {kind: constant, final: 50%}}
export:
  tflite: {float32: {}}
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("twice") / "recipe.yaml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def out(recipe: Path) -> Path:
    tfopt.run(recipe, out=recipe.parent / "out")
    return recipe.parent / "out"


def cached(run: Run) -> list[bool]:
    return [stage.cached for stage in run.report.stages]


def test_a_change_of_a_later_stage_keeps_the_earlier_ones(recipe: Path, out: Path) -> None:
    assert cached(tfopt.run(tfopt.load(recipe, ["stages.prune.epochs=2"]), out=out)) == [True, False]


def test_a_change_of_the_exports_trains_nothing(recipe: Path, out: Path) -> None:
    assert cached(tfopt.run(tfopt.load(recipe, ["export.tflite.float16.quantize=float16"]), out=out)) == [True, True]


def test_the_plan_says_why_a_stage_is_not_cached(recipe: Path, out: Path) -> None:
    plan = tfopt.plan(tfopt.load(recipe, ["stages.prune.epochs=3"]), out, trial=False)
    assert [(stage.status, stage.reason) for stage in plan.stages] == [
        ("cached", ""),
        ("will run", "epochs was 1 and is 3"),
    ]
    plan = tfopt.plan(tfopt.load(recipe, ["seed=5"]), out, trial=False)
    assert [stage.reason for stage in plan.stages] == [
        "parent was " + plan.stages[0].reason.split("parent was ")[1],
        "train before it is new",
    ]
    assert "seed was 0 and is 5" in plan.stages[0].reason


def test_a_file_that_was_touched_is_written_again_without_training(recipe: Path, out: Path) -> None:
    first = tfopt.run(recipe, out=out)
    path = first.path("float32")
    original = path.read_bytes()
    path.write_bytes(original[:-1] + b"x")
    again = tfopt.run(recipe, out=out)
    assert cached(again) == [True, True]
    assert again.path("float32").read_bytes() == original
    assert numbers(again) == numbers(first)


def test_a_run_interrupted_in_an_export_goes_on_in_its_folder(recipe: Path, out: Path) -> None:
    def stop(event: Mapping[str, Any]) -> None:
        if event["event"] == "export_started":
            raise KeyboardInterrupt

    changed = tfopt.load(recipe, ["export.tflite.late.quantize=float16"])
    with pytest.raises(KeyboardInterrupt):
        tfopt.run(changed, out=out, on_event=stop)
    folders = set((out / "twice").glob("2*"))
    run = tfopt.run(changed, out=out)
    assert (cached(run), run.ok) == ([True, True], True)
    assert set((out / "twice").glob("2*")) == folders


@pytest.mark.parametrize("name", ["entry.json", "key.json", "model.keras"])
def test_a_flipped_byte_in_the_store_costs_a_stage_and_no_more(recipe: Path, out: Path, name: str) -> None:
    folder = Store(out / ".store").folder(tfopt.plan(recipe, out, trial=False).stages[1].key)
    (path,) = folder.rglob(name)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    run = tfopt.run(
        tfopt.load(recipe, [f"export.tflite.again_{name.strip('*').replace('.', '_')}.quantize=none"]), out=out
    )
    assert cached(run) == [True, False]
    assert any("damaged" in warning for warning in run.report.warnings)
    assert run.ok


def test_two_processes_at_the_same_recipe_both_end_well_and_train_once(recipe: Path, tmp_path: Path) -> None:
    # One stage, and no files: a converter of its own for each would take the longest.
    less = ("--set", "export={}", "--set", "stages=[{train: {epochs: 1}}]")
    command = [sys.executable, "-m", "tfopt", "run", str(recipe), "--out", str(tmp_path), "--json", *less]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    reports = []
    for child in children:
        stdout, stderr = child.communicate(timeout=300)
        assert child.returncode == 0, stderr
        reports.append(json.loads(stdout))
    built = sum(not stage["cached"] for report in reports for stage in report["stages"])
    assert built == 1 or reports[0]["run"]["id"] == reports[1]["run"]["id"]
    assert len(Store(tmp_path / ".store").entries()) == 1


def test_an_unchanged_run_does_not_load_tensorflow(recipe: Path, out: Path) -> None:
    tfopt.run(recipe, out=out)
    code = (
        "import sys, tfopt; run = tfopt.run(sys.argv[1], out=sys.argv[2]); "
        "sys.exit('tensorflow' in sys.modules or not (run.folder / 'report.html').is_file())"
    )
    for page in out.glob("twice/2*/report.html"):
        page.unlink()
    assert subprocess.run([sys.executable, "-c", code, str(recipe), str(out)], check=False).returncode == 0


def test_gc_keeps_what_the_newest_run_needs(recipe: Path, out: Path) -> None:
    newest = tfopt.run(tfopt.load(recipe, ["stages.prune.schedule.final=60%"]), out=out)
    tfopt.gc(out, keep_last=1)
    assert newest.folder.is_dir()
    more = tfopt.load(recipe, ["stages.prune.schedule.final=60%", "export.tflite.more.quantize=float16"])
    assert cached(tfopt.run(more, out=out)) == [True, True]
