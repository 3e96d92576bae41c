"""One run on a different machine: its events arrive, its error is raised here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import tfopt
from tests.support.root import REPOSITORY
from tests.support.stand_ins.sweep_fakes import ThreadExecutor
from tfopt.core.contracts.events import TrialEnded
from tfopt.core.contracts.resources import Resources
from tfopt.core.recipe.recipe import Recipe
from tfopt.engine.on_cluster import execute_on_cluster
from tfopt.errors import EnvironmentProblem, RecipeError, StageError, TfoptError, UsageError
from tfopt.executors.base import Job, Message

FAKE = "tests.support.stand_ins.sweep_fakes:run"


class LosesItsFirstNode(ThreadExecutor):
    """Its first job never runs."""

    lost = False

    def start(self, job: Job) -> None:
        if self.lost:
            super().start(job)
            return
        self.lost = True
        self.messages.put(Message(job.trial, TrialEnded("lost", "Its node 10.0.0.3 was lost.", code="node_lost")))


def recipe(description: str) -> Recipe:
    return tfopt.load(REPOSITORY / "recipes" / "digits_prune_qat.yaml").with_overrides({"description": description})


def test_events_arrive_and_the_run_is_returned_although_a_node_was_lost(tmp_path: Path) -> None:
    events: list[Mapping[str, Any]] = []
    run = execute_on_cluster(recipe("fine"), LosesItsFirstNode(1), tmp_path, FAKE, on_event=events.append)
    assert run.report.run.state == "done"
    assert events[0]["message"] == "Its node 10.0.0.3 was lost. The run resumes on another."
    assert [event["event"] for event in events][1 :: len(events) - 2] == ["run_started", "run_finished"]


def test_the_error_of_the_run_is_raised_with_its_code(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="nothing is left") as caught:
        execute_on_cluster(recipe("fail"), ThreadExecutor(1), tmp_path, FAKE)
    assert caught.value.code == "stage_failed"


@pytest.mark.parametrize(
    ("description", "kind", "exit_code"), [("wrong", RecipeError, 3), ("missing", EnvironmentProblem, 4)]
)
def test_the_exit_code_is_that_of_the_same_run_here(
    description: str, kind: type[TfoptError], exit_code: int, tmp_path: Path
) -> None:
    with pytest.raises(TfoptError) as caught:
        execute_on_cluster(recipe(description), ThreadExecutor(1), tmp_path, FAKE)
    assert type(caught.value) is kind
    assert caught.value.exit_code == exit_code
    assert str(caught.value) == ("One mistake.\nAnother mistake." if exit_code == 3 else "A package is missing.")


def test_resources_of_a_run_in_this_process_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Add --executor ray"):
        tfopt.api.run(recipe("fine"), out=tmp_path, resources=Resources(cpus=2))
