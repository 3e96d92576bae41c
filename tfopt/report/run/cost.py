"""What a run's files cost besides bytes and latency: memory and cold start here, latency on a phone; in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tfopt.report.shared import formats

if TYPE_CHECKING:
    from tfopt.core.records.report import ExportRecord, Report


def cost_sentences(report: Report) -> tuple[str, ...]:
    """Memory of each file and where that was measured, then what it takes on a phone."""
    memory = [text for export in report.exports if (text := _memory(export))]
    first = (f"Memory and cold start: {'; '.join(memory)}.",) if memory else ()
    return (*first, *(sentence for export in report.exports for sentence in _on_phone(export)))


def _memory(export: ExportRecord) -> str:
    measures = export.measures
    arena = export.details.get("arena")
    parts = []
    if "arena_bytes" in measures:
        where = f" in {arena['runtime']}" if isinstance(arena, Mapping) else ""
        parts.append(f"arena {formats.size(measures['arena_bytes'])}{where}")
    elif isinstance(arena, Mapping) and arena.get("bytes") is not None:
        parts.append(
            f"arena about {formats.size(arena['bytes'])} (an estimate: that of LiteRT, not {arena['runtime']})"
        )
    if "peak_memory" in measures:
        parts.append(f"peak memory {formats.size(measures['peak_memory'])}")
    if "cold_start_ms" in measures:
        parts.append(f"cold start {formats.milliseconds(measures['cold_start_ms'])}")
    return f"{export.name} {', '.join(parts)}" if parts else ""


def _on_phone(export: ExportRecord) -> Iterator[str]:
    phone = export.details.get("phone")
    if not isinstance(phone, Mapping):
        return
    android = f"Android {phone['android']}" if phone["android"] else ""
    which = ", ".join(part for part in (phone["model"] or phone.get("serial", ""), android, phone["soc"]) if part)
    rows = [_row(row) for row in phone["rows"]]
    yield f"On a phone ({which}), {export.name} takes {', '.join(rows)}."


def _row(row: Mapping[str, Any]) -> str:
    on = row["accelerator"].upper() + (f" with {row['threads']} threads" if row["threads"] > 1 else "")
    if row["result"] is None:
        return f"nothing on the {on} ({row['error']})"
    note = f" ({row['note']})" if row["note"] else ""
    return f"{formats.milliseconds(row['result']['latency_ms'])} on the {on}{note}"
