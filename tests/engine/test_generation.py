"""A run, or a file: which generative file is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

import tfopt
from tests.support.errors import refused
from tests.support.generative import LARGE
from tfopt.core.records.report import ExportRecord, Report, RunInfo
from tfopt.core.records.run import Run
from tfopt.engine import generation
from tfopt.engine.generation import generative_file
from tfopt.errors import StoreError, UsageError


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files of the run that any target means."""
    names = ["generate_int8", "float32", "generate_int4"]

    def read_run(target: object, root: Path) -> Run:
        files = [
            ExportRecord(name=name, format="tflite", path=f"{name}.tflite", bytes=1, gzip_bytes=1, measures={})
            for name in names
        ]
        for name in names:
            (tmp_path / f"{name}.tflite").touch()
        info = RunInfo(id="2026", recipe="r", state="done", seconds=1, seed=0)
        return Run(tmp_path, Report(run=info, exports=files))

    monkeypatch.setattr(generation, "read_run", read_run)
    return names


def test_a_run_of_several_needs_a_variant(run: list[str], tmp_path: Path) -> None:
    with refused(UsageError, "usage", "int8, int4", "--variant int8"):
        generative_file("r", tmp_path)
    assert generative_file("r", tmp_path, "int4").name == "generate_int4.tflite"
    with refused(UsageError, "file_not_found", "'int2'", "int8, int4"):
        generative_file("r", tmp_path, "int2")
    run[:] = ["float32"]
    with refused(UsageError, "file_not_found", "export.generate"):
        generative_file("r", tmp_path)


def test_files_are_themselves(tmp_path: Path) -> None:
    assert generative_file(LARGE, tmp_path) == LARGE
    with refused(UsageError, "usage"):
        generative_file(LARGE, tmp_path, "int8")
    with refused(UsageError, "file_not_found"):
        generative_file(tmp_path / "no.tflite", tmp_path)
    with pytest.raises(StoreError):
        generative_file("nothing", tmp_path)


def test_arguments_are_checked_before_a_file_is_opened() -> None:
    for arguments in ({"top_p": 0}, {"temperature": -1}, {"max_tokens": 0}, {"repetition_penalty": float("nan")}):
        with refused(UsageError, "out_of_range"):
            tfopt.generate("nowhere.tflite", "a", **arguments)  # type: ignore[arg-type]
    with refused(UsageError, "meaningless_key"):
        tfopt.generate("nowhere.tflite", "a", top_k=3)
