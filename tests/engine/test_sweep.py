"""A sweep from its trials to sweep.json, with workers that train nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import tfopt
from tests.support.console import printed
from tests.support.root import REPOSITORY
from tests.support.stand_ins.sweep_fakes import ThreadExecutor
from tfopt.core.contracts.events import TrialEnded, TrialPlaced
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.sweeps.comparison import compare
from tfopt.core.sweeps.expand import Expansion, expand
from tfopt.core.sweeps.record import Sweep
from tfopt.engine.sweep import execute_sweep, stage_chain
from tfopt.errors import UsageError
from tfopt.executors.base import Job, Message
from tfopt.io.runs.candidates import read_candidates
from tfopt.io.runs.sweeps import find_sweep, read_sweep, sweep_folder
from tfopt.io.store.locks import sole_user
from tfopt.report.comparison.text import sweep_text

FAKE = "tests.support.stand_ins.sweep_fakes:run"
EIGHT = [{"kind": kind, "final": f"{final}%"} for kind in ("polynomial", "constant") for final in (50, 60, 70, 80)]


def recipe(**overrides: Any) -> Recipe:
    return tfopt.load(REPOSITORY / "recipes" / "digits_prune_qat.yaml", overrides)


def swept(*axes: dict[str, Any], seeds: Any = 1, **overrides: Any) -> Expansion:
    return expand(recipe(**overrides).with_overrides({"sweep": {"axes": list(axes), "seeds": seeds}}))


def execute(expansion: Expansion, out: Path, jobs: int = 2, **options: Any) -> Sweep:
    folder = sweep_folder(out, expansion.recipe.name, expansion.key)
    return execute_sweep(expansion, ThreadExecutor(jobs), folder, FAKE, **options)


def built(out: Path) -> Counter[str]:
    return Counter(line.split()[0] for line in (out / "built.log").read_text().splitlines())


def test_eight_schedules_and_two_seeds_train_two_dense_baselines(tmp_path: Path) -> None:
    events: list[Mapping[str, Any]] = []
    sweep = execute(swept({"stages.prune.schedule": EIGHT}, seeds=2), tmp_path, on_event=events.append)
    assert len(sweep.runs) == 16
    assert sweep.exit_code == 0
    assert built(tmp_path) == {"train": 2, "prune": 16, "qat": 16}
    # Never by waiting for a lock in a worker: a trial starts when what it shares is there.
    trained = [
        e["trial"] for e in events if e["event"] == "stage_started" and e["stage"] == "train" and not e["cached"]
    ]
    assert len(trained) == 2


def test_the_same_command_goes_on_and_runs_nothing_twice(tmp_path: Path) -> None:
    expansion = swept({"stages.prune.schedule.final": ["50%", "80%"]})
    first = execute(expansion, tmp_path)
    events: list[Mapping[str, Any]] = []
    again = execute(expansion, tmp_path, on_event=events.append)
    assert again.record == first.record
    assert [event["event"] for event in events] == ["sweep_started", "sweep_finished"]
    assert events[0]["settled"] == events[0]["trials"]
    runs = [path for path in (tmp_path / expansion.recipe.name).iterdir() if (path / "report.json").is_file()]
    assert len(runs) == 2


def test_a_trial_whose_run_was_removed_runs_again(tmp_path: Path) -> None:
    expansion = swept({"stages.prune.schedule.final": ["50%", "80%"]})
    first = execute(expansion, tmp_path)
    lost = first.record.trials[0]
    (tmp_path / expansion.recipe.name / str(lost.run) / "report.json").unlink()
    again = execute(expansion, tmp_path)
    assert again.record.trials[0].run != lost.run
    assert again.record.trials[1] == first.record.trials[1]


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [("fail", "stage_failed"), ("bug", "internal_error")],
)
def test_a_failed_trial_is_reported_and_the_rest_go_on(tmp_path: Path, behaviour: str, code: str) -> None:
    expansion = swept({"description": ["fine", behaviour]}, {"stages.prune.epochs": [1, 2]})
    sweep = execute(expansion, tmp_path)
    assert Counter(trial.state for trial in sweep.record.trials) == {"done": 2, "failed": 2}
    assert all(trial.error_code == code for trial in sweep.failed)
    assert all(trial.error for trial in sweep.failed)
    assert sweep.exit_code == 5


def test_one_mistake_in_the_recipe_is_told_once(tmp_path: Path) -> None:
    sweep = execute(swept({"stages.prune.epochs": [1, 2]}, description="wrong"), tmp_path / "all")
    assert sweep.exit_code == 3
    assert "One mistake." in str(sweep.mistake)
    text = printed(sweep_text(sweep, None), 120)
    assert text.count("One mistake.") == 1
    assert "no trial could run: the recipe has a mistake" in text
    some = execute(swept({"description": ["fine", "wrong"]}), tmp_path / "some")
    assert (some.exit_code, some.mistake) == (5, None)


def test_a_trial_whose_error_is_not_of_its_recipe_runs_a_second_time(tmp_path: Path) -> None:
    events: list[Mapping[str, Any]] = []
    sweep = execute(swept({"description": ["fine", "shaky"]}), tmp_path, on_event=events.append)
    fine, shaky = sweep.record.trials
    assert sweep.exit_code == 0
    assert fine.repeated is None
    assert (shaky.state, shaky.repeated, shaky.error) == ("done", "Stage prune failed: SystemError", None)
    assert [event["trial"] for event in events if event["event"] == "trial_repeated"] == ["description=shaky seed=7"]
    assert built(tmp_path)["train"] == 1
    notes = compare(read_candidates([sweep.folder], tmp_path)).notes
    assert any("shaky" in note and "run twice" in note for note in notes)


def test_a_trial_that_fails_twice_has_failed_and_a_recipe_that_cannot_work_is_not_repeated(tmp_path: Path) -> None:
    sweep = execute(swept({"description": ["bug", "fail"]}), tmp_path)
    bug, fail = sweep.record.trials
    assert (bug.state, bug.error, bug.repeated) == ("failed", *2 * ("ZeroDivisionError: division by zero",))
    assert (fail.state, fail.repeated) == ("failed", None)
    assert "bug seed=7 was run twice" in str(bug.repetition)


class LosesNodes(ThreadExecutor):
    """The first two attempts at each trial end with their node."""

    def start(self, job: Job) -> None:
        self.attempts = getattr(self, "attempts", Counter[str]())
        self.attempts[job.trial] += 1
        if self.attempts[job.trial] > 2:
            super().start(job)
            return
        self.messages.put(Message(job.trial, TrialPlaced("10.0.0.3")))
        self.messages.put(Message(job.trial, TrialEnded("lost", "Its node 10.0.0.3 was lost.", code="node_lost")))


def test_a_trial_starts_again_as_often_as_its_executor_says_that_its_node_was_lost(tmp_path: Path) -> None:
    expansion = swept({"description": ["fine", "bug"]})
    folder = sweep_folder(tmp_path, expansion.recipe.name, expansion.key)
    fine, bug = execute_sweep(expansion, LosesNodes(2), folder, FAKE).record.trials
    assert (fine.state, fine.lost_nodes, fine.repeated, fine.node) == ("done", 2, None, "10.0.0.3")
    assert fine.repetition == f"{fine.name} started again on another node 2 times, because its node was lost."
    assert (bug.state, bug.lost_nodes) == ("failed", 2)
    assert "was run twice" in str(bug.repetition)


def test_a_run_that_was_made_before_the_sweep_counts(tmp_path: Path) -> None:
    sweep = execute(swept({"description": ["reused", "fine"]}), tmp_path)
    assert [trial.state for trial in sweep.record.trials] == ["done", "done"]
    assert len(sweep.runs) == 2


def test_failed_trials_run_again(tmp_path: Path) -> None:
    expansion = swept({"description": ["fine", "fail"]})
    execute(expansion, tmp_path)
    events: list[Mapping[str, Any]] = []
    execute(expansion, tmp_path, on_event=events.append)
    assert [event["trial"] for event in events if event["event"] == "trial_started"] == ["description=fail seed=7"]


def test_the_median_rule_stops_a_hopeless_trial(tmp_path: Path) -> None:
    expansion = swept({"description": ["a", "b", "c", "endless"]})
    sweep = execute(expansion, tmp_path, jobs=1, stop_trials=True)
    assert [trial.state for trial in sweep.record.trials] == ["done", "done", "done", "stopped"]
    assert "worse than the median of 3 finished trials" in str(sweep.record.trials[3].error)
    assert sweep.exit_code == 0
    assert execute(expansion, tmp_path, jobs=1, stop_trials=True).record == sweep.record


def test_ctrl_c_stops_the_workers_and_the_sweep_goes_on_later(tmp_path: Path) -> None:
    expansion = swept({"description": ["endless", "fine"]})

    def interrupt(event: Mapping[str, Any]) -> None:
        if event["event"] == "epoch" and event.get("epoch") == 3 and event["stage"] == "prune":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(expansion, tmp_path, jobs=1, on_event=interrupt)
    folder = sweep_folder(tmp_path, expansion.recipe.name, expansion.key)
    assert [trial.state for trial in read_sweep(folder).record.trials] == ["interrupted", "waiting"]
    fine = expand(recipe().with_overrides({"description": "fine", "sweep": {"seeds": 2}}))
    assert execute(fine, tmp_path).exit_code == 0


def test_every_trial_is_given_the_shared_store(tmp_path: Path) -> None:
    execute(swept({"description": ["a", "b"]}), tmp_path, store="s3://bucket/folder")
    assert (tmp_path / "stores.log").read_text().splitlines() == ["s3://bucket/folder"] * 2


def test_a_second_process_on_the_same_sweep_is_refused(tmp_path: Path) -> None:
    expansion = swept(seeds=2)
    folder = sweep_folder(tmp_path, expansion.recipe.name, expansion.key)
    with sole_user(folder, "this sweep"), pytest.raises(UsageError, match="being run by another process"):
        execute(expansion, tmp_path)


def test_a_sweep_is_found_by_its_recipe_its_id_and_its_folder(tmp_path: Path) -> None:
    sweep = execute(swept(seeds=2), tmp_path)
    name = sweep.record.recipe
    for text in (name, f"{name}/sweeps/latest", f"{name}/sweeps/{sweep.record.id}", str(sweep.folder)):
        assert find_sweep(text, tmp_path) == sweep.folder
    assert find_sweep("elsewhere", tmp_path) is None
    written = json.loads((sweep.folder / "sweep.json").read_text())
    assert [trial["state"] for trial in written["trials"]] == ["done", "done"]


def test_stage_chains_are_shared_exactly_as_far_as_the_recipes_agree() -> None:
    base, other = stage_chain(recipe()), stage_chain(recipe(**{"stages.prune.epochs": 3}))
    assert base[0] == other[0]
    assert base[1] != other[1]
    assert base[2] != other[2]
    assert set(base).isdisjoint(stage_chain(recipe(seed=8)))
    assert set(base).isdisjoint(stage_chain(recipe(**{"model.args": {"filters": [8, 8]}})))
    assert stage_chain(recipe(**{"stages.qat.name": "last"})) == base


def test_a_sweep_that_needs_the_workers_of_tf_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="trains one recipe at a time"):
        execute(swept({"distribute": ["multi_worker", "mirrored"]}), tmp_path)
