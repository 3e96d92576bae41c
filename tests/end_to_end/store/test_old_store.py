"""A store and runs that tfopt 0.1.0 has left (`tests/data/store_0_1_0`) are read by today's code."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import tfopt
from tfopt.cli.main import main
from tfopt.io.system.environment import key_versions

pytestmark = pytest.mark.tf

OLD = Path(__file__).resolve().parents[2] / "data" / "store_0_1_0"
RECIPES = ("own_layers", "chain", "family")
NEW = {"chain": {"qat"}, "own_layers": {"train", "prune"}, "family": {"distill", "ensemble"}}
"""Stages that are run again: since version 4 of qat, kernels are rounded in training as the file rounds them; what the
code of a user's own layers does is part of the key of their model, and so of what is distilled from it."""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked `--out` folder; skips where keys differ because TensorFlow is another version."""
    folder = tmp_path_factory.mktemp("old")
    with zipfile.ZipFile(OLD / "out.zip") as archive:
        archive.extractall(folder)
    written = json.loads(next((folder / ".store").glob("*/*/key.json")).read_text())["versions"]
    if written != key_versions():
        pytest.skip(f"the old store was written with {written}, this environment has {key_versions()}")
    return folder


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name in (*(f"{recipe}.yaml" for recipe in RECIPES), "own_layers.py"):
        shutil.copy(OLD / name, tmp_path / name)
    return tmp_path


def reports(out: Path) -> dict[str, Mapping[str, Any]]:
    return {path.parts[-3]: json.loads(path.read_text()) for path in out.glob("*/*/report.json")}


@pytest.mark.parametrize("name", RECIPES)
def test_every_stage_is_found_in_the_old_store(old: Path, recipes: Path, name: str) -> None:
    plan = tfopt.plan(recipes / f"{name}.yaml", old, trial=False)
    assert {stage.name for stage in plan.stages if stage.status != "cached"} <= NEW[name]


# CI plans all three and runs the one with the most stages of tfopt.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "chain" else pytest.mark.slow) for name in RECIPES]
)
def test_every_stage_is_taken_from_the_old_store_and_exported(old: Path, recipes: Path, name: str) -> None:
    out = recipes / "out"
    shutil.copytree(old / ".store", out / ".store")
    events: list[Mapping[str, Any]] = []
    run = tfopt.run(recipes / f"{name}.yaml", out=out, on_event=events.append)
    started = [event for event in events if event["event"] == "stage_started" and "source" not in event]
    assert {event["stage"] for event in started if not event["cached"]} <= NEW[name]
    assert run.report.held
    before = reports(old)[run.report.run.recipe]
    now = json.loads((run.folder / "report.json").read_text())
    for one, other in zip(before["stages"], now["stages"], strict=True):
        # `macs` is new; nothing else is different.
        known = {key: value for key, value in other.items() if key != "macs"}
        assert known == {**one, "cached": True} or other["name"] in NEW[name]
    for one, other in zip(before["exports"], now["exports"], strict=True):
        assert other["name"] == one["name"]
        assert other["bytes"] == one["bytes"] or run.report.stages[-1].name in NEW[name]
        assert other["measures"]["accuracy"] == pytest.approx(one["measures"]["accuracy"], abs=0.01)


def test_old_reports_are_shown_and_compared(old: Path) -> None:
    folders = [str(path.parent) for path in sorted(old.glob("*/*/report.json"))]
    assert len(folders) == len(RECIPES)
    for folder in folders:
        shown = CliRunner().invoke(main, ["show", folder, "--out", str(old)])
        assert shown.exit_code == 0, shown.output
        assert "accuracy" in shown.output
    compared = CliRunner().invoke(main, ["compare", *folders, "--out", str(old)])
    assert compared.exit_code == 0, compared.output


@pytest.mark.slow  # in CI: the run of the same recipe above, and `compare` of the old reports
def test_a_finished_old_run_is_given_back_where_nothing_has_changed(old: Path, recipes: Path) -> None:
    out = recipes / "out"
    shutil.copytree(old, out)
    events: list[Mapping[str, Any]] = []
    run = tfopt.run(recipes / "chain.yaml", out=out, on_event=events.append)
    assert run.report.held
    if any(event["event"] == "run_reused" for event in events):
        assert run.folder.name == next((old / "chain").iterdir()).name
