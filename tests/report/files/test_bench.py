"""What `tfopt bench` shows of this machine."""

from __future__ import annotations

from typing import Any

from tests.support.console import printed
from tfopt.report.files.bench import bench_table, bench_text


def row(name: str, milliseconds: float, **more: Any) -> dict[str, Any]:
    times = {"latency_ms": milliseconds, "latency_ms_p10": milliseconds, "latency_ms_p90": milliseconds}
    return {"name": name, "bytes": 1000, **times, **more}


def test_the_fastest_is_compared_with() -> None:
    shown = printed([bench_table([row("float32", 0.5), row("int8", 0.25)])])
    assert "2.00×" in shown
    assert "1.00×" in shown
    assert "kernels" not in shown


def test_memory_operators_and_failures_are_shown_and_phones_are_left_out_of_it() -> None:
    operators = [
        {"index": 0, "operator": "CONV_2D", "tensor": "conv/Out;x", "ms": 0.3, "error": ""},
        {"index": 1, "operator": "WHILE", "tensor": "loop", "ms": None, "error": "no body"},
    ]
    rows = [
        row("a", 0.5, kernels="default", threads=1, arena_bytes=3136, peak_memory=131072, operators=operators),
        row("a", 0.5, kernels="reference", threads=1) | {"error": "no kernel for TILE"},
    ]
    shown = printed(bench_text(rows))
    assert "3.14 kB" in shown
    assert "131 kB" in shown
    assert "operators of a (default kernels, 1 thread), each run alone" in shown
    assert "conv/Out" in shown
    assert "not timed: WHILE (1): no body" in shown
    assert "a (reference kernels, 1 thread) cannot be measured: no kernel for TILE" in shown
    assert "do not rank phones" in shown
