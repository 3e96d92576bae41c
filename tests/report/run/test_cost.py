"""Memory, cold start and phones are told in sentences; an estimate is called one."""

from __future__ import annotations

from typing import Any

from tfopt.core.records.report import ExportRecord, Report, RunInfo
from tfopt.report.run.cost import cost_sentences


def report(measures: dict[str, float], **details: Any) -> Report:
    info = RunInfo(id="2026", recipe="digits", state="done", seconds=1, seed=0)
    record = ExportRecord(
        name="int8", format="tflite", path="export/int8.tflite", bytes=1, gzip_bytes=1, measures=measures,
        details=details,
    )  # fmt: skip
    return Report(run=info, exports=[record])


def test_memory_here_and_latency_on_a_phone() -> None:
    result = {"latency_ms": 0.6}
    rows = [
        {"accelerator": "cpu", "threads": 4, "result": result, "note": "", "error": ""},
        {"accelerator": "gpu", "threads": 1, "result": result, "note": "fell back to the CPU", "error": ""},
        {"accelerator": "npu", "threads": 1, "result": None, "note": "", "error": "it crashed"},
    ]
    phone = {"model": "Pixel 8", "android": "15", "soc": "", "rows": rows}
    measures = {"arena_bytes": 3136.0, "peak_memory": 131072.0, "cold_start_ms": 4.5}
    assert cost_sentences(report(measures, phone=phone)) == (
        "Memory and cold start: int8 arena 3.14 kB, peak memory 131 kB, cold start 4.50 ms.",
        "On a phone (Pixel 8, Android 15), int8 takes 0.600 ms on the CPU with 4 threads, 0.600 ms on the GPU (fell "
        "back to the CPU), nothing on the NPU (it crashed).",
    )
    assert cost_sentences(report({})) == ()


def test_the_arena_of_a_target() -> None:
    measured = report({"arena_bytes": 4096.0}, arena={"runtime": "TFLite Micro", "how": "measured"})
    assert "arena 4.10 kB in TFLite Micro" in cost_sentences(measured)[0]
    guessed = report({}, arena={"runtime": "TFLite Micro", "how": "estimate", "bytes": 3136, "from": "LiteRT"})
    assert "arena about 3.14 kB (an estimate: that of LiteRT, not TFLite Micro)" in cost_sentences(guessed)[0]
