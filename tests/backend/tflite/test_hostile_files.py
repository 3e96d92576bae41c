"""`inspect` and `bench` on malformed, truncated, cyclic and absurd `.tflite` files: one clear error each, no crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tflite_files import mutations
from tfopt.backend.audit.inspect import inspect
from tfopt.backend.tflite import benchmark, child_process
from tfopt.errors import TfoptError

linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="forks with limits need Linux")


def endless(path: Path) -> Path:
    """A file whose loop never ends: nothing in its body changes what its condition reads."""
    model = mutations.base()
    model.subgraphs[2].operators, model.subgraphs[2].outputs = [], [0, 1]
    path.write_bytes(mutations.packed(model))
    return path


def tried(folder: Path, number: int, seed: int) -> dict:
    found: dict = child_process.call(
        "tests.support.tflite_files.mutations:outcomes", {"folder": str(folder), "number": number, "seed": seed}
    )
    assert found["names"]["inspect"] == []
    assert sum(found["inspect"].values()) == sum(found["litert"].values()) == number
    assert found["inspect"]["refused"] > number // 5
    return found


@linux
def test_a_hundred_mutants(tmp_path: Path) -> None:
    tried(tmp_path, 100, seed=0)


@linux
@pytest.mark.slow
def test_two_thousand_mutants(tmp_path: Path) -> None:
    found = tried(tmp_path, 2000, seed=1)
    crashed = [name.partition(":")[0] for name in found["names"]["litert"]]
    for name in crashed[:10]:
        with pytest.raises(TfoptError):
            benchmark.bench([tmp_path / name], rounds=1)


def test_a_well_formed_file_is_read_and_timed(tmp_path: Path) -> None:
    path = tmp_path / "base.tflite"
    path.write_bytes(mutations.packed(mutations.base()))
    assert inspect(path).operators == {"ADD": 1, "DENSIFY": 1, "FULLY_CONNECTED": 2, "LESS": 1, "WHILE": 1}
    (row,) = benchmark.bench([path], rounds=1)
    assert row["latency_ms"] > 0


def test_a_malformed_file_is_named_by_both(tmp_path: Path) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(mutations.packed(mutations.base())[:500])
    for command in (inspect, lambda file: benchmark.bench([file])):
        with pytest.raises(TfoptError, match=r"cut\.tflite is malformed") as caught:
            command(path)
        assert caught.value.code == "malformed_file"


def test_a_file_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = endless(tmp_path / "endless.tflite")
    assert inspect(path).operators["WHILE"] == 1
    with pytest.raises(child_process.ProcessTimedOut, match=r"ran .*endless\.tflite for the first time"):
        child_process.call(
            f"{__name__}:impatient",
            {"files": [str(path)], "threads": [1], "rounds": 1, "example": {}, "kernels": ["default"]},
        )


def impatient(**arguments: object) -> list:
    """Runs in the child process: the same with less patience."""
    benchmark._FIRST_SECONDS = 2
    return benchmark.time_files(**arguments)  # type: ignore[arg-type]
