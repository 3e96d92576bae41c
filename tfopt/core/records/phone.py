"""What is measured on a phone, as plain values: of one file on one accelerator, and of the phone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Accelerator = Literal["cpu", "gpu", "npu"]
"""Parts of a phone that can run a file."""

RanOn = Literal["accelerator", "partly", "cpu", "not said"]
"""Where the operators ran: all on the accelerator; some on the CPU; all on the CPU; or the tool does not say."""


@dataclass(frozen=True)
class PhoneFacts:
    """Which phone, as it says itself; empty where it does not.

    Args:
        model: e.g. `Google Pixel 8`.
        android: version of Android.
        soc: manufacturer and name of the system on chip.
        abis: instruction sets, the preferred first.
        thermal_before: Android's thermal status before the measurement: 0 is none, from 3 on it slows down severely.
        thermal_after: the same after it.
    """

    model: str = ""
    android: str = ""
    soc: str = ""
    abis: tuple[str, ...] = ()
    thermal_before: int | None = None
    thermal_after: int | None = None


@dataclass(frozen=True)
class ToolResult:
    """What `benchmark_model` printed.

    Args:
        latency_ms: the median of a call; the mean where the tool is too old to print a median.
        statistic: which of the two.
        init_ms: loading and preparing the file.
        first_ms: the first call.
        p5_ms: fifth percentile; None where it is not printed.
        p95_ms: ninety-fifth percentile; None where it is not printed.
        runs: how many calls were timed.
        memory_mb: growth of the tool's memory, in MB of 2**20 bytes; the tool calls it approximate.
        ran_on: where the operators ran.
        delegated: how many operators went to the accelerator, as `49 of 49`; empty where it is not printed.
        ignored: options that the tool does not know and ignores.
    """

    latency_ms: float
    statistic: Literal["median", "mean"] = "median"
    init_ms: float | None = None
    first_ms: float | None = None
    p5_ms: float | None = None
    p95_ms: float | None = None
    runs: int | None = None
    memory_mb: float | None = None
    ran_on: RanOn = "not said"
    delegated: str = ""
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class PhoneRow:
    """One file on one accelerator.

    Args:
        name: of the file, without folder.
        bytes: its size.
        accelerator: what was asked for.
        threads: of the CPU.
        result: what the tool printed; None where it failed.
        note: what must be known to read the result, as a sentence, such as a fall back to the CPU.
        error: why there is no result, as a sentence.
    """

    name: str
    bytes: int
    accelerator: Accelerator
    threads: int
    result: ToolResult | None = None
    note: str = ""
    error: str = ""

    @property
    def counts(self) -> bool:
        """Whether its latency is one of that accelerator: it was measured, and did not fall back to the CPU."""
        return self.result is not None and (self.accelerator == "cpu" or self.result.ran_on != "cpu")


@dataclass(frozen=True)
class PhoneReport:
    """Everything that was measured on a phone.

    Args:
        serial: of the phone.
        facts: which phone.
        rows: per file, accelerator and number of threads.
    """

    serial: str
    facts: PhoneFacts
    rows: tuple[PhoneRow, ...] = field(default=())

    def latency(self, name: str) -> PhoneRow | None:
        """The fastest way to run a file on this phone; None where none was measured."""
        rows = [row for row in self.rows if row.name == name and row.counts]
        return min(rows, key=lambda row: row.result.latency_ms if row.result else 0.0, default=None)
