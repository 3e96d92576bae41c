"""Stages that need models from elsewhere: what is missing is run first, once, and goes on where it was killed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

import tfopt
from tests.support.stand_ins.needing_stages import Take
from tfopt.backend.artifacts import stage_artifacts
from tfopt.catalog.catalog import catalog
from tfopt.core.recipe.catalog import Catalog
from tfopt.core.recipe.recipe import Recipe
from tfopt.errors import RecipeError, StageError
from tfopt.io.recipes.recipe_file import load_recipe
from tfopt.io.runs.journal import read_events
from tfopt.io.store.store import Store

pytestmark = pytest.mark.tf

MEMBER = """
name: member
seed: 4
data: {source: digits, batch_size: 256}
model: {source: mlp, args: {units: [8]}}
stages:
  - train: {epochs: 2}
  - prune: {epochs: 1, schedule: {kind: constant, final: 50%}}
export: {}
"""
STUDENT = """
name: student
data: {source: digits, batch_size: 256}
model: {source: mlp, args: {units: [8]}}
stages:
  - train: {epochs: 1}
  - take: {name: first, model: SOURCE}
  - take: {name: second, model: SOURCE}
export: {}
"""


def student(folder: Path, source: str, member: str = MEMBER) -> Recipe:
    (folder / "member.yaml").write_text(member)
    (folder / "student.yaml").write_text(STUDENT.replace("SOURCE", source))
    found = catalog()
    return load_recipe(folder / "student.yaml", Catalog({**found.stages, "take": Take}, found.exports))


def weights(out: Path, key: str) -> list[np.ndarray]:
    model: Any = stage_artifacts.load(Store(out / ".store").folder(key))
    return model.get_weights()


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_another_recipe_is_run_first_and_only_once(tmp_path: Path) -> None:
    recipe = student(tmp_path, "{recipe: member.yaml, seed: 5}")
    planned = tfopt.plan(recipe, tmp_path / "out", trial=False).stages[1].sources[0]
    assert (planned.status, planned.name) == ("will run", "member-seed-5")
    assert [stage.kind for stage in planned.stages] == ["train", "prune"]
    events: list[Any] = []
    run = tfopt.run(recipe, out=tmp_path / "out", on_event=events.append)
    begun = [(event["stage"], event["cached"]) for event in events if event["event"] == "stage_started"]
    assert begun == [
        ("train", False),
        ("member-seed-5/train", False),
        ("member-seed-5/prune", False),
        ("first", False),
        ("member-seed-5/prune", True),
        ("second", False),
    ]
    assert {event.get("source") for event in events if "/" in event.get("stage", "")} == {"member-seed-5"}
    assert [stage.name for stage in run.report.stages] == ["train", "first", "second"]
    assert list(run.report.stages[1].sources.values()) == [planned.key]
    assert sorted(path.name for path in (tmp_path / "out" / "member").glob("*")) == []
    # The same as when the other recipe is run for itself.
    alone = tfopt.run(tfopt.load(tmp_path / "member.yaml", {"seed": 5}), out=tmp_path / "out")
    assert [stage.cached for stage in alone.report.stages] == [True, True]
    assert same(weights(tmp_path / "out", run.report.stages[2].key), weights(tmp_path / "out", planned.key))

    # The store frees nothing of what a kept run was made with; run again, it is all there.
    tfopt.gc(tmp_path / "out")
    assert tfopt.plan(recipe, tmp_path / "out", trial=False).stages[1].sources[0].status == "cached"
    more = recipe.with_overrides({"stages.train.epochs": 2})
    events.clear()
    tfopt.run(more, out=tmp_path / "out", on_event=events.append)
    trained = [event["stage"] for event in events if event["event"] == "stage_started" and not event["cached"]]
    assert trained == ["train", "first", "second"]
    events.clear()
    tfopt.run(more, out=tmp_path / "out", on_event=events.append, fresh=True)
    trained = [event["stage"] for event in events if event["event"] == "stage_started" and not event["cached"]]
    assert trained == ["train", "member-seed-5/train", "member-seed-5/prune", "first", "second"]


def test_the_stages_before_are_run_with_another_seed(tmp_path: Path) -> None:
    recipe = student(tmp_path, "{seed: 9}")
    run = tfopt.run(recipe, out=tmp_path / "out")
    other = tfopt.run(recipe.with_overrides({"seed": 9}), out=tmp_path / "out")
    assert other.report.stages[0].cached
    out = tmp_path / "out"
    assert same(weights(out, run.report.stages[1].key), weights(out, other.report.stages[0].key))
    assert not same(weights(out, run.report.stages[0].key), weights(out, other.report.stages[0].key))


def test_a_model_that_does_not_fit_is_refused_before_any_training(tmp_path: Path) -> None:
    dense = tf_keras.layers.Dense(12)
    layers = [tf_keras.layers.InputLayer((8, 8, 1)), tf_keras.layers.Flatten(), dense]
    tf_keras.Sequential(layers).save(tmp_path / "teacher.keras")
    with pytest.raises(RecipeError, match=r"student.yaml:7:32: first.model: .* returns outputs of shape \(12,\), but"):
        tfopt.run(student(tmp_path, "{file: teacher.keras}"), out=tmp_path / "out")
    assert not (tmp_path / "out" / "student").exists()


def test_a_stage_takes_the_model_of_a_file(tmp_path: Path) -> None:
    layers = [tf_keras.layers.InputLayer((8, 8, 1)), tf_keras.layers.Flatten(), tf_keras.layers.Dense(10, "softmax")]
    model = tf_keras.Sequential(layers)
    model.save(tmp_path / "teacher.keras")
    run = tfopt.run(student(tmp_path, "{file: teacher.keras}"), out=tmp_path / "out")
    assert same(weights(tmp_path / "out", run.report.stages[-1].key), model.get_weights())
    (tmp_path / "broken.keras").write_text("no model")
    with pytest.raises(StageError, match=r"neither a \.keras archive nor"):
        tfopt.plan(student(tmp_path, "{file: broken.keras}"), tmp_path / "out")


KILLED = """
import sys
from pathlib import Path
from tests.end_to_end import test_models_from_elsewhere as this
from tests.support.quick_tensorflow import optimize_graphs
import tfopt
optimize_graphs(on=False)
folder = Path(sys.argv[1])
recipe = this.student(folder, "{recipe: member.yaml}", this.MEMBER.replace("epochs: 2", "epochs: 6"))
tfopt.run(recipe, out=folder / sys.argv[2])
"""


def in_training_of_the_member(event: Mapping[str, Any]) -> bool:
    return event["event"] == "epoch" and event["stage"] == "member-seed-4/train"


def interrupt(recipe: Recipe, folder: Path) -> None:
    """Interrupts the run in this process."""

    def stop(event: Mapping[str, Any]) -> None:
        if in_training_of_the_member(event):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tfopt.run(recipe, out=folder / "ended", on_event=stop)


def kill(recipe: Recipe, folder: Path) -> None:
    """Kills the run in a process of its own."""
    command = [sys.executable, "-c", KILLED, str(folder), "ended"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal: list[Path] = []
    while child.poll() is None:
        journal = journal or list((folder / "ended" / "student").glob("2*/events.jsonl"))
        if journal and any(in_training_of_the_member(event) for event in read_events(journal[0])):
            child.kill()
            child.wait()
        time.sleep(0.02)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("end", [interrupt, pytest.param(kill, marks=pytest.mark.slow)])
def test_a_run_that_ended_in_another_recipe_goes_on_there(end: Callable[[Recipe, Path], None], tmp_path: Path) -> None:
    longer = student(tmp_path, "{recipe: member.yaml}", MEMBER.replace("epochs: 2", "epochs: 6"))
    tfopt.run(longer, out=tmp_path / "whole")
    end(longer, tmp_path)
    (journal,) = (tmp_path / "ended" / "student").glob("2*/events.jsonl")
    before = len(read_events(journal))
    tfopt.gc(tmp_path / "ended")
    tfopt.run(longer, out=tmp_path / "ended")
    later = [event for event in read_events(journal)[before:] if event["event"] == "stage_started"]
    assert [event["stage"] for event in later if event["cached"]][:1] == ["train"]
    whole, ended = (json.loads(report(tmp_path / out).read_text()) for out in ("whole", "ended"))
    assert [stage["measures"] for stage in whole["stages"]] == [stage["measures"] for stage in ended["stages"]]
    last = [stage["key"] for stage in whole["stages"]][-1]
    assert same(weights(tmp_path / "whole", last), weights(tmp_path / "ended", last))


def report(out: Path) -> Path:
    return next(iter((out / "student").glob("2*"))) / "report.json"
