"""What `benchmark_model` prints, read: that of LiteRT, and that of TensorFlow Lite since 2018.

Both print a line `count=50 first=... avg=... median=...` in microseconds for warm-up and for the timed calls (`median`
since 2024). TensorFlow Lite's ends with `Inference timings in us: ...`, LiteRT's with a table `BENCHMARK RESULTS` in
milliseconds. Sources: tflite/tools/benchmark/benchmark_model.cc and litert/tools/benchmark_litert_model.h of
github.com/google-ai-edge/LiteRT; read against logs that users published on GitHub, from Android and Linux.
"""

from __future__ import annotations

import re
from typing import Literal

from tfopt.core.records.phone import Accelerator, RanOn, ToolResult

_NUMBER = r"([0-9.]+(?:e[+-]?\d+)?)"
_COUNTS = re.compile(r"count=(\d+)\s+(?:first=|curr=).*")
_SUMMARY = re.compile(
    rf"Inference timings in us: Init: {_NUMBER}, First inference: {_NUMBER}, Warmup \(avg\): {_NUMBER}, "
    rf"Inference \(avg\): {_NUMBER}"
)
_OLDEST = re.compile(rf"Average inference timings in us: Warmup: {_NUMBER}, Init: {_NUMBER}, no stats: {_NUMBER}")
_MEMORY = (
    re.compile(rf"Memory footprint delta from the start of the tool \(MB\): init={_NUMBER} overall={_NUMBER}"),
    re.compile(rf"Peak memory footprint \(MB\): init={_NUMBER} overall={_NUMBER}"),
    re.compile(rf"(Overall) footprint:\s+{_NUMBER} MB"),
)
_REPLACED = re.compile(r"Replacing (\d+) out of (\d+) node\(s\) with delegate \(([^)]*)\)")
_TABLE = re.compile(rf"(Model initialization|Warmup \(first\)|Inference \(avg\)):\s+{_NUMBER} ms")
_IGNORED = re.compile(r"Unconsumed cmdline flags:\s*(.*\S)")
_NO_ACCELERATOR = re.compile(
    r"model graph will not be executed by the delegate"
    r"|(GPU|NPU) accelerator could not be loaded"
    r"|GPU acceleration is unsupported on this platform"
    r"|Failed to apply compiler plugins"
    r"|Failed to create a dispatch delegate kernel"
)


def read_output(text: str, accelerator: Accelerator) -> ToolResult | None:
    """The result in the text that `benchmark_model` printed.

    Args:
        text: what it printed, or what Android's log has of it.
        accelerator: what it was asked to run on.

    Returns:
        None where there is no result in it: the tool failed.
    """
    timed = [found.group(0) for found in _COUNTS.finditer(text)]
    last = _fields(timed[-1]) if timed else {}
    summary, oldest = _SUMMARY.search(text), _OLDEST.search(text)
    table = dict(_TABLE.findall(text))
    if summary is None and oldest is None and "Inference (avg)" not in table:
        return None
    ran_on, delegated = _where(text, accelerator)
    latency, statistic = _latency(last, summary, oldest, table)
    memory = next((found[2] for pattern in _MEMORY if (found := pattern.search(text)) is not None), None)
    init = summary[1] if summary else oldest[2] if oldest else None
    ignored = _IGNORED.search(text)
    return ToolResult(
        latency_ms=latency,
        statistic=statistic,
        init_ms=float(init) / 1e3 if init else _number(table.get("Model initialization")),
        first_ms=float(summary[2]) / 1e3 if summary else _number(table.get("Warmup (first)")),
        p5_ms=last["p5"] / 1e3 if "p5" in last else None,
        p95_ms=last["p95"] / 1e3 if "p95" in last else None,
        runs=int(last["count"]) if "count" in last else None,
        memory_mb=_number(memory),
        ran_on=ran_on,
        delegated=delegated,
        ignored=tuple(ignored[1].split()) if ignored else (),
    )


def _latency(
    last: dict[str, float], summary: re.Match[str] | None, oldest: re.Match[str] | None, table: dict[str, str]
) -> tuple[float, Literal["median", "mean"]]:
    if "median" in last:
        return last["median"] / 1e3, "median"
    if summary is not None:
        return float(summary[4]) / 1e3, "mean"
    if oldest is not None:
        return float(oldest[3]) / 1e3, "mean"
    if "avg" in last:
        return last["avg"] / 1e3, "mean"
    return float(table["Inference (avg)"]), "mean"


def _fields(line: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(rf"(\w+)={_NUMBER}", line)}


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _where(text: str, accelerator: Accelerator) -> tuple[RanOn, str]:
    """Where the operators ran, and how many of them on the accelerator."""
    if accelerator == "cpu":
        return "cpu", ""
    taken = [(int(some), int(all_)) for some, all_, name in _REPLACED.findall(text) if "xnnpack" not in name.lower()]
    some, whole = sum(one for one, _ in taken), sum(one for _, one in taken)
    if some:
        return ("accelerator" if some == whole else "partly"), f"{some} of {whole}"
    applied = re.search(r"Explicitly applied (?!XNNPACK)\w+ delegate, and the model graph will be (\w+) executed", text)
    if applied is not None:
        return ("accelerator" if applied[1] == "completely" else "partly"), ""
    if taken or _NO_ACCELERATOR.search(text) or _REPLACED.search(text):
        return "cpu", ""
    return "not said", ""


def failure(text: str) -> str:
    """The line of the output that says best why the tool failed; empty where it printed nothing."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"ERROR|CANNOT LINK|not executable|denied|Failed|Aborted", line)]
    chosen = telling[-1] if telling else lines[-1] if lines else ""
    # `Benchmarking failed.` follows the line that says why.
    if len(telling) > 1 and "Benchmarking failed" in chosen:
        chosen = telling[-2]
    return chosen[:300]
