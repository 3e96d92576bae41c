"""A file for a target has that target's claims; for microcontrollers its arena, and a C array beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.tflite_files.chain_tflite import chain
from tfopt.backend.audit.tflite import audit_tflite
from tfopt.backend.export.on_target import for_target
from tfopt.backend.micro import interpreter as micro
from tfopt.core.records.report import ExportRecord
from tfopt.core.targets.table import TargetName


def record(file: Path, target: TargetName, width: int = 64) -> ExportRecord:
    few = file.with_suffix(".npy")
    np.save(few, np.random.default_rng(1).normal(size=(2, width)).astype(np.float32))
    audit = audit_tflite(file, ["dense"])
    about = {"path": f"export/{file.name}", "bytes": 1, "gzip_bytes": 1, "measures": {}}
    made = ExportRecord(name="f", format="tflite", audit=audit, **about)  # type: ignore[arg-type]
    return for_target(made, file, target, ["dense"], None, (), {"x": few})


def test_a_microcontroller_gets_an_arena_and_a_c_array(tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro")
    found = record(chain(tmp_path / "f.tflite", 64, "TANH"), "tflm")
    assert [(claim.code, claim.held) for claim in found.claims] == [
        ("target_operators", True),
        ("target_types", True),
        ("target_runs", True),
    ]
    assert 2 * 4 * 64 <= found.measures["arena_bytes"] < 8192
    assert found.details["arena"] == {"runtime": "TFLite Micro", "how": "measured"}
    assert found.details["c_array"]["source"] == "export/f.cc"
    assert "arena_bytes" in (tmp_path / "f.h").read_text(encoding="ascii")
    lacking = record(chain(tmp_path / "g.tflite", 64, "GELU"), "tflm")
    assert [(claim.code, claim.held) for claim in lacking.claims if not claim.held] == [
        ("target_operators", False),
        ("target_runs", False),
    ]
    assert "arena_bytes" not in lacking.measures


def test_without_the_runtime_nothing_is_claimed_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micro, "available", lambda: False)
    found = record(chain(tmp_path / "f.tflite", 64, "TANH"), "tflm")
    assert [claim.code for claim in found.claims] == ["target_operators", "target_types"]
    assert found.details["arena"]["how"] == "estimate"
    assert "arena_bytes" not in found.measures
    assert (tmp_path / "f.cc").exists()


def test_a_phone_says_what_is_not_checked(tmp_path: Path) -> None:
    found = record(chain(tmp_path / "f.tflite", 64, "TANH"), "android")
    assert [(claim.code, claim.held) for claim in found.claims] == [("target_operators", True)]
    assert "on the phone only" in found.details["target"]["not_checked"]
    assert not (tmp_path / "f.cc").exists()
