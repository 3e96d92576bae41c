"""What is said about devices before anything is trained, and two processes that train together."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.quick_tensorflow import ONE_THREAD
from tests.support.root import REPOSITORY
from tfopt.catalog.catalog import catalog
from tfopt.core.recipe.recipe import Recipe, build_recipe
from tfopt.engine.distribution import device_problems, needs_workers, notes

DOCUMENT: dict[str, Any] = {
    "name": "spread",
    "data": {"source": "digits", "batch_size": 60},
    "model": {"source": "small_cnn", "args": {"filters": [4, 8]}},
    "compile": {"optimizer": {"name": "sgd", "learning_rate": 0.05}},
    "stages": [
        {"train": {"epochs": 30}},
        {"prune": {"epochs": 2, "schedule": {"kind": "constant", "final": "50%", "begin": "0%"}}},
    ],
    "export": {"keras": {}},
}


def recipe(distribute: object, **keys: Any) -> Recipe:
    return build_recipe({**DOCUMENT, "distribute": distribute, **keys}, catalog())


@pytest.mark.tf
def test_a_batch_smaller_than_the_replicas_is_a_mistake_of_the_recipe() -> None:
    asked = recipe({"strategy": "mirrored", "device": "cpu", "devices": 4}, data={"source": "digits", "batch_size": 3})

    problems = device_problems(asked)

    assert [(problem.path, problem.code) for problem in problems] == [(("data", "batch_size"), "out_of_range")] * 2
    assert "at least 4" in problems[0].message


@pytest.mark.tf
def test_a_strategy_without_devices_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)

    (problem,) = device_problems(recipe("multi_worker"))

    assert (problem.path, problem.code) == (("distribute", "strategy"), "no_devices")
    assert "TF_CONFIG is not set" in problem.message


@pytest.mark.tf
def test_several_replicas_do_not_accumulate_gradients_and_a_plan_says_what_each_gets() -> None:
    two = {"strategy": "mirrored", "device": "cpu", "devices": 2}
    (problem,) = device_problems(recipe(two, compile={"gradient_accumulation_steps": 2}))
    plain = recipe(two)

    assert (problem.path, problem.code) == (("compile", "gradient_accumulation_steps"), "conflicting_keys")
    assert notes(plain.stages[0], plain) == ("trains on 2 replicas, each with 30 of 60 examples",)
    narrowed = recipe(two, stages=[{"train": {"epochs": 1}}, {"shrink": {"epochs": 1, "to": {"macs": "50%"}}}])
    (note,) = notes(narrowed.stages[1], narrowed)
    assert note == "trains on one device: shrink does not divide its batches among replicas"


@pytest.mark.tf
def test_xla_on_several_replicas_is_a_mistake_and_auto_is_none() -> None:
    two = {"strategy": "mirrored", "device": "cpu", "devices": 2}
    (problem,) = device_problems(recipe(two, compile={"xla": True}))

    assert (problem.path, problem.code) == (("compile", "xla"), "conflicting_keys")
    assert device_problems(recipe(two, compile={"xla": "auto"})) == []
    assert device_problems(recipe({**two, "devices": 1}, compile={"xla": True})) == []


def test_only_multi_worker_needs_workers() -> None:
    assert needs_workers(recipe("multi_worker"))
    assert not needs_workers(recipe("auto"))


def start(path: Path, out: Path, ports: Sequence[int]) -> list[subprocess.Popen[str]]:
    """One process for each worker, all with the same command."""
    workers = {"worker": [f"localhost:{port}" for port in ports]}
    command = [sys.executable, "-m", "tfopt", "run", str(path), "--out", str(out)]
    return [
        subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={
                **os.environ,
                **ONE_THREAD,
                "TF_NUM_INTEROP_THREADS": "2",  # a step waits for the other worker in one of them
                "TF_CONFIG": json.dumps({"cluster": workers, "task": {"type": "worker", "index": index}}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for index in range(len(ports))
    ]


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Workers that a test has started; none outlives it."""
    workers: list[subprocess.Popen[str]] = []
    yield workers
    for worker in workers:
        with worker:
            worker.kill()


def free_ports() -> list[int]:
    with socket.socket() as one, socket.socket() as two:
        for probe in (one, two):
            probe.bind(("localhost", 0))
        return [probe.getsockname()[1] for probe in (one, two)]


def weights(out: Path) -> list[np.ndarray]:
    import tf_keras

    (file,) = (out / "spread" / "latest" / "export").rglob("*.keras")
    return list(tf_keras.models.load_model(file, compile=False).get_weights())


@pytest.mark.slow
@pytest.mark.tf
def test_a_stage_on_one_device_is_made_by_the_worker_that_leads(
    tmp_path: Path, started: list[subprocess.Popen[str]]
) -> None:
    shrink = {"epochs": 1, "to": {"macs": "60%"}, "divisor": 2}
    stages = [{"train": {"epochs": 1}}, {"shrink": shrink}, {"prune": {**DOCUMENT["stages"][1]["prune"], "epochs": 1}}]
    path = tmp_path / "recipe.yaml"
    path.write_text(json.dumps({**DOCUMENT, "distribute": "multi_worker", "stages": stages}))
    started += start(path, tmp_path / "out", free_ports())

    ended = [(each.communicate(timeout=600)[0], each.returncode) for each in started]

    assert [code for _, code in ended] == [0, 0], ended
    report = json.loads((tmp_path / "out" / "spread" / "latest" / "report.json").read_text(encoding="utf-8"))
    assert [stage["details"].get("replicas") for stage in report["stages"]] == [2, None, 2]
    assert "macs_after" in report["stages"][1]["details"]["shrink"]


@pytest.mark.slow
@pytest.mark.tf
def test_two_workers_of_which_one_is_killed_and_the_run_resumes(
    tmp_path: Path, started: list[subprocess.Popen[str]]
) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(json.dumps({**DOCUMENT, "distribute": "multi_worker"}))
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    started += start(path, whole, free_ports())
    ended = [(each.communicate(timeout=1200)[0], each.returncode) for each in started]
    assert [code for _, code in ended] == [0, 0], ended

    leading, other = start(path, broken, free_ports())
    started += [leading, other]
    until = time.monotonic() + 600
    while not list((broken / ".store" / "work").glob("*/checkpoint.npz")):
        assert time.monotonic() < until
        assert leading.poll() is None, leading.communicate()[0]
        time.sleep(0.05)
    other.send_signal(signal.SIGKILL)
    said = leading.communicate(timeout=600)[0]
    other.communicate()
    assert leading.returncode not in (0, 1), said
    assert re.search(r"worker 1 of TF_CONFIG is gone|the other one \(worker 1\) is gone", said), said
    (stored,) = (broken / ".store" / "work").glob("*/checkpoint.npz")
    from tfopt.backend.training.resume import checkpoint

    kept = checkpoint.read(stored.parent)
    assert kept is not None
    first = kept.state["history"][0]
    again = start(path, broken, free_ports())
    started += again
    resumed = [(each.communicate(timeout=1200)[0], each.returncode) for each in again]

    assert [code for _, code in resumed] == [0, 0], resumed
    report = json.loads((broken / "spread" / "latest" / "report.json").read_text(encoding="utf-8"))
    assert report["stages"][0]["history"][0]["seconds"] == first["seconds"], "the first epoch was trained again"
    for one, same in zip(weights(whole), weights(broken), strict=True):
        np.testing.assert_array_equal(one, same)
