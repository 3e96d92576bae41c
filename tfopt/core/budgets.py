"""Limits on what comes out of a run: `int8.bytes: 60 kB`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """One limit.

    Args:
        export: name of the file it is about.
        measure: `bytes`, `gzip_bytes`, `latency_ms`, `agreement`, a metric, or `<metric>_drop`.
        limit: in bytes, milliseconds or the metric's own unit.
        at_least: the value must reach the limit instead of staying under it.
    """

    export: str
    measure: str
    limit: float
    at_least: bool

    @property
    def name(self) -> str:
        """The recipe's key."""
        return f"{self.export}.{self.measure}"

    def met_by(self, value: float) -> bool:
        """Whether `value` is within the limit."""
        return value >= self.limit if self.at_least else value <= self.limit
