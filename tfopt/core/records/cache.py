"""Where examples are during a run: in memory, on disk, or decoded each time."""

from __future__ import annotations

from typing import Literal

from tfopt.core.records.record import Record


class CacheRecord(Record):
    """Where the examples of a run are."""

    kind: Literal["memory", "disk", "none"]
    """`memory`; `disk`: decoded once, into files of the store; `none`: decoded each time they are read."""
    bytes: int
    """What the decoded examples of all splits take in memory."""
    reason: str
    """Why."""
    skipped: int = 0
    """Examples that cannot be read and are left out (`data.on_bad_example: skip`)."""
    first_skipped: list[str] = []
    """What is wrong with the first of them."""
