"""Files are measured with several kernels and threads against each other; what some kernels lack costs no other row."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tflite_files.chain_tflite import chain
from tfopt.backend.bench.measure import measure
from tfopt.backend.tflite.child_process import ProcessFailed
from tfopt.errors import ExportError


def test_every_combination_is_a_row(tmp_path: Path) -> None:
    small, large = chain(tmp_path / "small.tflite"), chain(tmp_path / "large.tflite", 512, "TANH")
    rows = measure([small, large], (1, 2), ("default", "reference"), 2)
    assert [(row["name"], row["kernels"], row["threads"]) for row in rows] == [
        (name, kernels, threads)
        for name in ("small.tflite", "large.tflite")
        for kernels in ("default", "reference")
        for threads in (1, 2)
    ]
    for row in rows:
        assert row["latency_ms_p10"] <= row["latency_ms"] <= row["latency_ms_p90"]
        assert row["cold_start_ms"] > 0
    assert rows[0]["arena_bytes"] < rows[4]["arena_bytes"] < 4096 * 4


def test_operators_are_timed_where_that_is_asked_for(tmp_path: Path) -> None:
    (row,) = measure([chain(tmp_path / "a.tflite", 512, "TANH")], rounds=2, operators=True)
    assert [one["operator"] for one in row["operators"]] == ["FULLY_CONNECTED", "TANH"]


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells it")
def test_peak_memory_has_the_weights_and_what_the_kernels_pack(tmp_path: Path) -> None:
    file = chain(tmp_path / "large.tflite", 2048)
    packed, mapped = measure([file], (1,), ("default", "builtin"), 2)
    assert 16e6 < mapped["peak_memory"] < 24e6
    assert 32e6 < packed["peak_memory"] < 44e6


def test_kernels_that_lack_an_operator_leave_the_other_rows(tmp_path: Path) -> None:
    whole, lacking = chain(tmp_path / "whole.tflite"), chain(tmp_path / "lacking.tflite", 16, "BROADCAST_TO")
    rows = measure([whole, lacking], (1,), ("default",), 2)
    assert rows[0]["latency_ms"] > 0
    assert rows[1]["name"] == "lacking.tflite"
    assert rows[1]["error"]
    with pytest.raises(ProcessFailed):
        measure([lacking], (1,), ("default",), 2)


def test_a_malformed_file_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"    TFL3" + bytes(100))
    with pytest.raises(ExportError, match=r"broken\.tflite"):
        measure([broken])
