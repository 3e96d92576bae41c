"""A `.tflite` file that was made, run and judged; latencies of several such files, measured together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tfopt.backend.export.plain import PlainFile
from tfopt.backend.tflite import benchmark
from tfopt.backend.tflite.benchmark import BenchRow
from tfopt.backend.types import Array
from tfopt.core.claims.failures import Failure, attempt, unmeasured
from tfopt.core.records.report import ExportRecord


@dataclass(frozen=True)
class Measured:
    """A file that was made, run and judged.

    Args:
        record: of the file.
        outputs: on the test split by output name; None where it did not run.
        few: .npy file of the first test inputs per input, to measure latency with.
    """

    record: ExportRecord
    outputs: Mapping[str, Array] | None = None
    few: Mapping[str, Path] = field(default_factory=dict)

    def without(self, stage: str) -> Measured:
        """The same, with the stage that the file was made without in its record."""
        details = {**self.record.details, "without_stage": stage}
        return replace(self, record=self.record.model_copy(update={"details": details}))

    def as_plain(self, file: Path) -> PlainFile:
        """The same, as the plain file in addition to that of a quantizing stage."""
        failure = self.record.error or "it could not be run" if self.outputs is None else None
        return PlainFile(file, failure, self.outputs)


def with_latency(measured: Sequence[Measured], folder: Path) -> list[ExportRecord]:
    """Adds latencies of the files that ran, measured in turns; where one cannot be timed, each alone."""
    records = [each.record for each in measured]
    few = {each.record.name: each.few for each in measured if each.outputs is not None}
    files = {name: folder / f"{name}.tflite" for name in few}
    if not files:
        return records
    together = attempt(benchmark.bench, list(files.values()), example=next(iter(few.values())))
    timed: dict[str, BenchRow | Failure] = {}
    if isinstance(together, Failure):
        for name, file in files.items():
            alone = attempt(benchmark.bench, [file], example=few[name])
            timed[name] = alone if isinstance(alone, Failure) else alone[0]
    else:
        timed = dict(zip(files, together, strict=True))
    return [_timed(record, timed.get(record.name)) for record in records]


def _timed(record: ExportRecord, result: BenchRow | Failure | None) -> ExportRecord:
    if result is None:
        return record
    if isinstance(result, Failure):
        return unmeasured(record, result)
    names = ("latency_ms", "latency_ms_p10", "latency_ms_p90", "cold_start_ms", "arena_bytes", "peak_memory")
    found = {name: value for name in names if (value := result.get(name)) is not None}
    details = dict(record.details)
    if "arena" in details:  # that of the runtime of the recipe's target, not LiteRT's
        estimate = found.pop("arena_bytes", None)
        if details["arena"]["how"] == "estimate":
            details["arena"] = {**details["arena"], "bytes": estimate, "from": "LiteRT"}
    measures = {**record.measures, **found}
    timing = {"invocations": result["invocations"], "threads": result["threads"]}
    return record.model_copy(update={"measures": measures, "details": {**details, "latency": timing}})
