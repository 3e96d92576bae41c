"""Two schedules, really trained: what they share is trained once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

import tfopt
from tests.end_to_end.conftest import FIRST_RECIPE
from tfopt.core.sweeps.record import Sweep

pytestmark = pytest.mark.tf

SCHEDULES = [
    {"kind": "polynomial", "final": "50%"},
    {"kind": "linear", "final": "80%"},
]
TINY = {
    "model.args": {"filters": [8, 16]},
    "stages": [{"train": {"epochs": 8}}, {"prune": {"epochs": 3, "schedule": SCHEDULES[0]}}],
    "export": {},
    "budgets": {},
}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sweep") / "saved_models"


@pytest.fixture(scope="module")
def sweep(out: Path) -> Sweep:
    recipe = tfopt.load(FIRST_RECIPE, TINY)
    return tfopt.sweep(recipe, [{"stages.prune.schedule": SCHEDULES}], seeds=1, jobs=2, out=out)


def test_the_dense_baseline_is_trained_once(sweep: Sweep, out: Path) -> None:
    assert [(trial.name, trial.error) for trial in sweep.record.trials if trial.state != "done"] == []
    entries = [json.loads(path.read_text()) for path in (out / ".store").glob("??/*/entry.json")]
    assert Counter(entry["record"]["kind"] for entry in entries) == {"train": 1, "prune": 2}
    trained = [run for run in sweep.runs.values() if not run.report.stages[0].cached]
    assert len(trained) == 1
    assert sweep.exit_code == 0


def test_every_trial_is_as_sparse_as_it_was_asked_to_be(sweep: Sweep, out: Path) -> None:
    table = tfopt.compare(sweep.folder, out=out).table
    assert len(table.rows) == 2
    finals = {schedule["kind"]: float(schedule["final"].removesuffix("%")) / 100 for schedule in SCHEDULES}
    assert {row.schedule for row in table.rows} == set(finals)
    for row in table.rows:
        asked = finals[row.schedule]
        assert row.sparsity == pytest.approx(asked, abs=0.02)
        assert len(row.seeds) == 1
        assert row.metric is not None
        assert row.metric > (0.7 if asked == 0.5 else 0.4)


def test_the_same_sweep_again_runs_nothing(sweep: Sweep, out: Path) -> None:
    events: list[str] = []
    recipe = tfopt.load(FIRST_RECIPE, TINY)
    again = tfopt.sweep(
        recipe,
        [{"stages.prune.schedule": SCHEDULES}],
        seeds=1,
        out=out,
        on_event=lambda event: events.append(event["event"]),
    )
    assert again.record == sweep.record
    assert events == ["sweep_started", "sweep_finished"]
