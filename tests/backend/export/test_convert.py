"""Conversion in child processes: a file that crashes the converter does not stop the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfopt.backend.export import convert as converting
from tfopt.backend.tflite import child_process
from tfopt.core.config.files.tflite_variant import Variant


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
    assert "the converter crashed with SIGSEGV" in failures["crashing"].reason
    assert failures["crashing"].code == converting.CRASHED
    odd = failures["odd"]
    assert odd.reason == "the converter refused it: RuntimeError: op is neither custom nor builtin loc: callsite"
    assert odd.code == converting.REFUSED
    assert [name for name in names if (tmp_path / f"{name}.tflite").exists()] == ["first", "second", "last"]
    assert started == list(names)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("", "the converter refused it and gives no reason (RuntimeError without a text)"),
        ("<unknown>:0: error: loc(a): 'tf.Roll' op is neither a custom op nor a flex op", "no operator for Roll of"),
    ],
)
def test_a_refusal_is_always_a_sentence(
    message: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(function: str, arguments: object) -> None:
        raise child_process.ProcessFailed(["RuntimeError", "Exception"], message, "")

    monkeypatch.setattr(child_process, "call", refuse)
    conversion = converting.Conversion("int8", Variant(), tmp_path / "model", tmp_path / "int8.tflite", {})
    (failure,) = converting.convert([conversion], lambda name: None).values()
    assert sentence in failure.reason
    assert failure.code == converting.REFUSED
