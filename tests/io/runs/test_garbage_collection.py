from __future__ import annotations

import os
from pathlib import Path

import pytest

from tfopt.core.records.report import Report, RunInfo, StageRecord
from tfopt.io.runs.garbage_collection import collect
from tfopt.io.runs.runs import new_run_folder
from tfopt.io.store.locks import sole_user
from tfopt.io.store.store import Store


def put(root: Path, key: str, age: int = 0) -> str:
    store = Store(root / ".store")
    with store.building(key) as folder:
        (folder / "weights").write_bytes(bytes(1000))
        entry = store.commit(key, folder, {}, {})
    os.utime(entry, (1_000_000 - age, 1_000_000 - age))
    return key


def finished(root: Path, *keys: str) -> Path:
    folder = new_run_folder(root, "digits")
    stages = [
        StageRecord(name="train", kind="train", key=key, cached=False, seconds=1, parameters=1, measures={}, layers=[])
        for key in keys
    ]
    report = Report(
        schema=1, run=RunInfo(id=folder.name, recipe="digits", state="done", seconds=1, seed=0), stages=stages
    )
    (folder / "report.json").write_text(report.model_dump_json(by_alias=True))
    return folder


def names(root: Path) -> set[str]:
    return {path.name for path in Store(root / ".store").entries()}


A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def test_what_a_run_needs_stays_and_the_rest_goes(tmp_path: Path) -> None:
    for key in (A, B):
        put(tmp_path, key)
    run = finished(tmp_path, A)
    collected = collect(tmp_path)
    assert names(tmp_path) == {A}
    assert [path.name for path in collected.entries] == [B]
    assert collected.bytes > 1000
    assert run.is_dir()


def test_decoded_examples_go_too(tmp_path: Path) -> None:
    decoded = tmp_path / ".store" / "data" / "0a1b"
    decoded.mkdir(parents=True)
    (decoded / "rows.npy").write_bytes(bytes(1000))
    assert collect(tmp_path, dry_run=True).entries == (decoded,)
    assert decoded.exists()
    assert collect(tmp_path).bytes >= 1000
    assert not decoded.exists()


def test_a_dry_run_removes_nothing(tmp_path: Path) -> None:
    put(tmp_path, A)
    assert [path.name for path in collect(tmp_path, dry_run=True).entries] == [A]
    assert names(tmp_path) == {A}


def test_keep_last_keeps_the_newest_runs_and_what_they_need(tmp_path: Path) -> None:
    for key in (A, B):
        put(tmp_path, key)
    runs = sorted([finished(tmp_path, A), finished(tmp_path, B)])
    needed = {"A": A, "B": B}
    newest = runs[-1]
    collect(tmp_path, keep_last=1)
    assert [path for path in runs if path.is_dir()] == [newest]
    assert len(names(tmp_path)) == 1
    assert names(tmp_path) < set(needed.values())


def test_a_run_that_is_going_on_is_kept_with_what_it_has_built(tmp_path: Path) -> None:
    put(tmp_path, A)
    running = new_run_folder(tmp_path, "digits")
    (running / "events.jsonl").write_text(f'{{"event": "stage_started", "key": "{A}"}}\n')
    with sole_user(running, "the run"):
        collect(tmp_path, keep_last=0)
    assert running.is_dir()
    assert names(tmp_path) == {A}


def test_max_size_removes_the_oldest_first_and_no_more_than_needed(tmp_path: Path) -> None:
    for age, key in enumerate((A, B, C)):
        put(tmp_path, key, age)
    size = collect(tmp_path, dry_run=True, max_size=10**9).kept_bytes
    collect(tmp_path, max_size=size - 1)
    assert names(tmp_path) == {A, B}


@pytest.mark.parametrize("state", [None, "interrupted", "done"])
def test_checkpoints_stay_while_their_run_can_go_on(tmp_path: Path, state: str | None) -> None:
    store = Store(tmp_path / ".store")
    (store.work_folder(A) / "checkpoint").write_text("epoch 3")
    run = finished(tmp_path) if state else new_run_folder(tmp_path, "digits")
    lines = ['{"event": "run_started"}', f'{{"event": "stage_started", "key": "{A}"}}']
    if state:
        lines.append(f'{{"event": "run_finished", "state": "{state}"}}')
    (run / "events.jsonl").write_text("\n".join(lines))
    collect(tmp_path)
    assert (store.root / "work" / A / "checkpoint").is_file() == (state != "done")


def test_leftovers_of_crashes_go(tmp_path: Path) -> None:
    store = Store(tmp_path / ".store")
    (store.work_folder(A) / "checkpoint").write_text("half")
    (store.root / "building" / "x").mkdir(parents=True)
    collect(tmp_path)
    assert store.leftovers() == []
