"""An export that raises costs its own files; a disk that is full is the run's failure, after all others were tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.export import Export, ExportContext
from tfopt.core.records.report import ExportRecord
from tfopt.engine.exports import unwritable, write_targets
from tfopt.errors import ExportError


class Good(Export):
    """Writes a file."""

    kind = "good"

    def write(self, model: Any, context: ExportContext) -> list[ExportRecord]:
        return [ExportRecord(name="good", format="good", path="good", bytes=5, gzip_bytes=5, measures={})]


class Raising(Good):
    """Raises what it is given."""

    kind = "bad"
    error: Any = None

    def names(self) -> tuple[str, ...]:
        return ("first", "second")

    def write(self, model: Any, context: ExportContext) -> list[ExportRecord]:
        raise self.error


def written(error: Exception) -> tuple[list[ExportRecord], list[Any]]:
    events: list[Any] = []
    context = ExportContext(Path("export"), None, Compile(), seed=1, emit=events.append)
    return write_targets([Raising.model_construct(error=error), Good.model_construct()], None, context), events


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (ValueError("no such layer"), "export_failed", "ValueError: no such layer"),
        (RuntimeError(), "export_failed", "RuntimeError: it gives no reason"),
        (ExportError("Refused.", "Do this.", code="conversion_failed"), "conversion_failed", "Refused. Do this."),
    ],
)
def test_an_export_that_raises_costs_its_own_files(error: Exception, code: str, reason: str) -> None:
    records, events = written(error)
    assert [record.name for record in records] == ["first", "second", "good"]
    for record in records[:2]:
        assert (record.error, record.error_code, record.bytes) == (reason, code, 0)
        assert [(claim.held, claim.code) for claim in record.claims] == [(False, "written")]
    assert records[2].error is None
    assert [(event["export"], event["held"]) for event in events] == [("first", False), ("second", False)]
    assert unwritable(records) is None


def test_a_disk_that_is_full_fails_the_run_and_says_what_is_written() -> None:
    records, _ = written(ExportError("Cannot write export: no space.", code="cannot_write"))
    error = unwritable(records)
    assert error is not None
    assert str(error) == "Cannot write export: no space. These files are written: good."
    assert error.exit_code == 5


class Collecting(Export):
    """Is made of the files of others."""

    kind = "collecting"
    last = True

    def write(self, model: Any, context: ExportContext) -> list[ExportRecord]:
        names = ",".join(record.name for record in context.written)
        return [ExportRecord(name="all", format="all", path=names, bytes=1, gzip_bytes=1, measures={})]


def test_a_target_that_collects_files_comes_last_and_gets_the_records_of_all_others() -> None:
    context = ExportContext(Path("export"), None, Compile(), seed=1, emit=lambda event: None)
    targets = [
        Collecting.model_construct(),
        Good.model_construct(),
        Raising.model_construct(error=ValueError("no")),
    ]
    records = write_targets(targets, None, context)
    assert [record.name for record in records] == ["good", "first", "second", "all"]
    assert records[-1].path == "good,first,second"
