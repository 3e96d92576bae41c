"""Conversion in child processes: a file that crashes the converter does not stop the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfopt.backend.export import convert as converting
from tfopt.backend.tflite import child_process
from tfopt.core.config.tflite_variant import Variant


def test_a_converter_that_crashes_at_one_file_resumes_with_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = child_process.call
    monkeypatch.setattr(
        child_process, "call", lambda _, arguments: call("tests.support.processes:convert_or_crash", arguments)
    )
    names = ("first", "crashing", "second", "odd", "last")
    conversions = [
        converting.Conversion(name, Variant(), tmp_path / "model", tmp_path / f"{name}.tflite", {}) for name in names
    ]
    started: list[str] = []
    failures = converting.convert(conversions, started.append)
    assert sorted(failures) == ["crashing", "odd"]
    assert "the converter crashed with SIGSEGV" in failures["crashing"]
    assert failures["odd"] == "the converter refused it: RuntimeError: op is neither custom nor builtin loc: callsite"
    assert [name for name in names if (tmp_path / f"{name}.tflite").exists()] == ["first", "second", "last"]
    assert started == list(names)
