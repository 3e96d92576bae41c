"""Trials in real worker processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import tfopt
from tests.support.root import REPOSITORY
from tfopt.executors import local
from tfopt.executors.base import Job, Message
from tfopt.executors.local import MEMORY_OF_A_TRIAL, LocalExecutor, worker_environment

RECIPE = REPOSITORY / "recipes" / "digits_prune_qat.yaml"


def job(out: Path, description: str) -> Job:
    recipe = tfopt.load(RECIPE, {"description": description})
    return Job(description, "tests.support.stand_ins.sweep_fakes:run", recipe.to_document(), recipe.folder, str(out))


def until_ended(executor: LocalExecutor) -> Iterator[Message]:
    for _ in range(10_000):
        message = executor.next_message(60)
        if message is not None:
            yield message
            if message.event["event"] == "trial_ended":
                return


def test_a_worker_runs_one_trial_after_the_other_and_survives_a_failure(tmp_path: Path) -> None:
    executor = LocalExecutor(1, 1, tmp_path / "logs")
    try:
        executor.start(job(tmp_path, "bug"))
        assert not executor.has_room()
        first = list(until_ended(executor))
        assert first[0].event["event"] == "run_started"
        assert first[-1].event["error"] == "ZeroDivisionError: division by zero"
        (worker,) = executor.workers
        assert "ZeroDivisionError" in worker.log.read_text()
        executor.start(job(tmp_path, "fine"))
        last = list(until_ended(executor))[-1]
        assert (last.trial, last.event["state"], last.event["error"]) == ("fine", "done", None)
        assert executor.workers == [worker]
        assert executor.need >= MEMORY_OF_A_TRIAL
    finally:
        executor.close()
    assert worker.process.returncode == 0


def test_a_worker_that_dies_fails_its_trial_and_is_replaced(tmp_path: Path) -> None:
    executor = LocalExecutor(1, 1, tmp_path / "logs")
    try:
        executor.start(job(tmp_path, "die"))
        last = list(until_ended(executor))[-1]
        assert last.event["state"] == "failed"
        assert "SIGKILL" in last.event["error"]
        assert last.event["not_of_recipe"]
        assert executor.has_room()
        assert executor.workers == []
        executor.start(job(tmp_path, "endless"))
        for _ in range(1000):
            message = executor.next_message(60)
            if message is not None and message.event["event"] == "epoch" and message.event["stage"] == "prune":
                break
        executor.stop("endless")
        assert list(until_ended(executor))[-1].event["state"] == "stopped"
    finally:
        executor.close()
        executor.close()


def test_another_worker_starts_only_when_memory_is_free(tmp_path: Path) -> None:
    free: list[int | None] = [MEMORY_OF_A_TRIAL - 1]
    executor = LocalExecutor(3, 1, tmp_path / "logs", memory=lambda: free[0])
    try:
        assert executor.has_room()
        executor.start(job(tmp_path, "endless"))
        assert not executor.has_room()
        free[0] = MEMORY_OF_A_TRIAL
        assert executor.has_room()
        executor.need = 2 * MEMORY_OF_A_TRIAL
        assert not executor.has_room()
        free[0] = None
        assert executor.has_room()
    finally:
        executor.close()
    assert executor.workers == []


def test_a_worker_is_replaced_after_its_share_of_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "TRIALS_OF_A_WORKER", 1)
    executor = LocalExecutor(1, 1, tmp_path / "logs")
    try:
        for name in ("first", "second"):
            executor.start(job(tmp_path, name))
            assert list(until_ended(executor))[-1].event["state"] == "done"
            assert executor.workers == []
        assert len(list((tmp_path / "logs").iterdir())) == 2
    finally:
        executor.close()


def test_threads_are_split_and_imports_are_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "yes")
    variables = worker_environment(3)
    assert {variables[name] for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")} == {
        "3"
    }
    assert variables["KEPT"] == "yes"
    assert all(Path(path).is_absolute() for path in variables["PYTHONPATH"].split(os.pathsep))
