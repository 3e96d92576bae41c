"""An export that raises costs its own files; a disk that is full is the run's failure, after all others were tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.export import Export, ExportContext
from tfopt.core.records.report import ExportRecord, StageRecord
from tfopt.engine.exports import unwritable, write_targets, zero_units_of
from tfopt.errors import ExportError
from tfopt.stages.cluster import Cluster
from tfopt.stages.prune import Prune
from tfopt.stages.shrink import Shrink
from tfopt.stages.train import Train


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


def test_zero_heads_are_those_of_the_last_stage_that_prunes_unless_a_later_one_removed_units() -> None:
    train, prune, cluster, shrink = (kind.model_construct() for kind in (Train, Prune, Cluster, Shrink))
    zero = {"zero_units": {"heads": {}, "blocks": {"block1": ["dense"]}, "num_blocks": 2}}

    def record(**details: Any) -> StageRecord:
        return StageRecord.model_construct(details=details)

    found = zero_units_of([train, prune, cluster], [record(), record(**zero), record()])
    assert found is not None
    assert found.blocks == {"block1": ("dense",)}
    # The record of the start, which no stage has made, is the first.
    assert zero_units_of([prune], [record(), record(**zero)]) == found
    assert zero_units_of([prune, prune], [record(**zero), record()]) is None
    assert zero_units_of([prune, shrink], [record(**zero), record(shrink={})]) is None
    assert zero_units_of([train], [record()]) is None
