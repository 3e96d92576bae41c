"""What files cost on a phone, as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tfopt.core.language.wording import with_stop
from tfopt.report.shared import formats
from tfopt.report.shared.terminal import plain_text, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tfopt.core.records.phone import PhoneReport, PhoneRow

_HOT = 3
"""Android's thermal status from which on it slows the phone down (severe)."""


def phone_text(measured: PhoneReport) -> list[RenderableType]:
    """Which phone, a row per file and accelerator, and what must be known to read them."""
    facts = measured.facts
    about = [facts.model or measured.serial, f"Android {facts.android}" if facts.android else "", facts.soc]
    parts: list[RenderableType] = [plain_text(", ".join(part for part in about if part), "bold")]
    rows = [row for row in measured.rows if row.result is not None]
    if rows:
        columns = ("", "on", "threads", "latency", "5th", "95th", "first call", "init", "memory")
        parts.append(table(columns, [_row(row) for row in rows], left=(0, 1)))
    return parts + [plain_text(sentence, "yellow") for sentence in _concerns(measured)]


def _row(row: PhoneRow) -> tuple[str, ...]:
    result = row.result
    if result is None:
        return ()
    ran = (
        row.accelerator.upper() if result.ran_on in ("accelerator", "not said") else f"{row.accelerator.upper()} + CPU"
    )
    where = "CPU" if result.ran_on == "cpu" else ran
    return (
        row.name,
        where if row.accelerator == "cpu" or result.ran_on != "cpu" else f"CPU (not {row.accelerator.upper()})",
        str(row.threads) if row.accelerator == "cpu" else "–",
        formats.milliseconds(result.latency_ms) + (" (mean)" if result.statistic == "mean" else ""),
        formats.milliseconds(result.p5_ms),
        formats.milliseconds(result.p95_ms),
        formats.milliseconds(result.first_ms),
        formats.milliseconds(result.init_ms),
        "–" if result.memory_mb is None else formats.size(result.memory_mb * 2**20),
    )


def _concerns(measured: PhoneReport) -> Iterator[str]:
    for row in measured.rows:
        if row.note or row.error:
            yield with_stop(f"{row.name} on the {row.accelerator.upper()}: {row.note or row.error}")
    hot = measured.facts.thermal_after
    if hot is not None and hot >= _HOT:
        yield f"The phone is hot (thermal status {hot}) and slows itself down: let it cool and measure again."
