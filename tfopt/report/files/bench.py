"""What files cost on this machine, as text for the terminal."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tfopt.report.shared import formats
from tfopt.report.shared.terminal import heading, plain_text, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

Row = Mapping[str, Any]

_SHOWN = 12
"""Operators of a file that are listed: those that take longest."""


def bench_text(rows: Sequence[Row]) -> list[RenderableType]:
    """The table, operators where they were timed, what failed, and what the figures are good for."""
    parts: list[RenderableType] = [bench_table(rows)]
    for row in rows:
        if row.get("operators"):
            parts += _operators(row)
        if row.get("operators_error"):
            parts.append(
                plain_text(f"operators of {_name(row)} could not be timed: {row['operators_error']}", "yellow")
            )
    parts += [
        plain_text(f"{_name(row)} cannot be measured: {row['error']}", "yellow") for row in rows if "error" in row
    ]
    return [*parts, plain_text(""), plain_text(warning(), "dim")]


def warning() -> str:
    """What figures of this machine cannot tell."""
    return (
        f"Figures of this machine ({platform.machine()}) compare files on it. They do not rank phones, which have "
        "other processors and kernels: tfopt bench --adb measures on a phone."
    )


def bench_table(rows: Sequence[Row]) -> Table:
    """Latency of each file, how much slower it is than the fastest, and its memory."""
    measured = [row for row in rows if "error" not in row]
    fastest = min((row["latency_ms"] for row in measured), default=0.0)
    several = [key for key in ("kernels", "threads") if len({row.get(key) for row in rows}) > 1]
    return table(
        ("", *several, "size", "median", "10th", "90th", "to fastest", "cold start", "arena", "peak memory"),
        [
            (
                plain_text(str(row["name"]), "bold"),
                *(str(row[key]) for key in several),
                formats.size(row["bytes"]),
                formats.milliseconds(row["latency_ms"]),
                formats.milliseconds(row["latency_ms_p10"]),
                formats.milliseconds(row["latency_ms_p90"]),
                f"{row['latency_ms'] / fastest:.2f}×" if fastest > 0 else "–",
                formats.milliseconds(row.get("cold_start_ms")),
                formats.size(row.get("arena_bytes")),
                formats.size(row.get("peak_memory")),
            )
            for row in measured
        ],
    )


def _operators(row: Row) -> list[RenderableType]:
    """The operators of a file, the longest first."""
    timed = [one for one in row["operators"] if one["ms"] is not None]
    whole = sum(one["ms"] for one in timed)
    longest = sorted(timed, key=lambda one: -one["ms"])
    shown = [
        (
            str(one["index"]),
            plain_text(one["operator"], "bold"),
            formats.milliseconds(one["ms"]),
            formats.percent(one["ms"] / whole if whole else None),
            one["tensor"].partition(";")[0],
        )
        for one in longest[:_SHOWN]
    ]
    more = f", the {_SHOWN} longest of {len(timed)}" if len(timed) > _SHOWN else ""
    lines: list[RenderableType] = [
        heading(f"operators of {_name(row)}, each run alone{more}"),
        table(("", "", "median", "share", "makes"), shown, left=(1, 4)),
        plain_text(
            f"Together {formats.milliseconds(whole)}, the file {formats.milliseconds(row['latency_ms'])}: each has the "
            "overhead of a call, and kernels cannot be fused across them.",
            "dim",
        ),
    ]
    failed = [f"{one['operator']} ({one['index']}): {one['error']}" for one in row["operators"] if one["ms"] is None]
    return [*lines, *(plain_text(f"not timed: {text}", "yellow") for text in failed)]


def _name(row: Row) -> str:
    """The file, and how it was measured where that is known."""
    if "kernels" not in row:
        return str(row["name"])
    threads = row["threads"]
    return f"{row['name']} ({row['kernels']} kernels, {threads} thread{'' if threads == 1 else 's'})"
