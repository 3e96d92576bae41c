"""Files of others are read in a child process with limits; what fails there is one error that names the file."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.tflite_files import mutations
from tfopt import api
from tfopt.backend.audit import inspect as inspection
from tfopt.backend.tflite.limits import Limits
from tfopt.errors import ExportError, UsageError

HERE = __name__


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net_float16.tflite"
    path.write_bytes(mutations.packed(mutations.base()))
    return path


def fill_memory(path: str) -> dict[str, Any]:
    return {"size": len(bytearray(1 << 28))}


def abort(path: str) -> dict[str, Any]:
    os.abort()


def sleep(path: str) -> dict[str, Any]:
    time.sleep(600)
    return {}


def fail(path: str) -> dict[str, Any]:
    raise RuntimeError("a parser's own error")


def test_sizes_and_what_the_file_is_are_given(file: Path) -> None:
    audit = api.inspect(file)
    assert audit.bytes == file.stat().st_size == sum(size.bytes for size in audit.layer_sizes)
    assert audit.gzip_bytes is not None
    assert audit.zstd_bytes is not None
    assert 0 < audit.zstd_bytes < audit.bytes
    assert audit.sparse_bytes is not None
    assert audit.entropy_bytes is not None
    assert audit.notes[0] == "the name says float16, but it holds float32 and int8 weights"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("fill_memory", "to read it takes more than 0 GB of memory"),
        ("abort", "while it was read, the child process crashed with SIGABRT"),
        ("sleep", "while it was read, the child process was stopped after 1 seconds"),
        ("fail", "is malformed: RuntimeError: a parser's own error"),
    ],
)
def test_whatever_happens_is_an_error_that_names_the_file(
    function: str, message: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Limits, "for_reading", classmethod(lambda cls, size, **_: cls(seconds=1, memory=100 << 20)))
    if function != "sleep":
        monkeypatch.setattr(Limits, "for_reading", classmethod(lambda cls, size, **_: cls(memory=100 << 20)))
    with pytest.raises(ExportError, match=message) as caught:
        inspection.read_safely(file, f"{HERE}:{function}")
    assert file.name in str(caught.value)
    assert caught.value.code == "malformed_file"


def test_a_path_that_is_nothing_or_of_another_type(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"")
    with pytest.raises(UsageError, match="cannot be inspected"):
        inspection.inspect(tmp_path / "model.onnx")
    with pytest.raises(UsageError, match="There is no file"):
        inspection.inspect(tmp_path / "gone.tflite")
