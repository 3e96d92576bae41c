"""Which files are measured, and what becomes of figures of a phone: they enter the report and the budgets of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tfopt.core.config.budgets import MEASURES_NO_PHONE
from tfopt.core.records.report import BudgetRecord, ExportRecord, Report
from tfopt.core.records.run import Run
from tfopt.errors import UsageError
from tfopt.io.runs.runs import REPORT, read_run
from tfopt.io.store.locks import sole_user
from tfopt.io.system.files import write_atomically

if TYPE_CHECKING:
    from tfopt.backend.phone.measure import PhoneRequest
    from tfopt.core.records.phone import PhoneReport, PhoneRow

PHONE_LATENCY = "phone_latency"
"""The measure, and the end of a budget's name."""


def files_of(targets: Sequence[str | Path], root: Path) -> tuple[list[Path], Run | None]:
    """The files that are meant, and the run that they are of, where one is meant.

    Args:
        targets: `.tflite` files, or one run: a run folder, `<recipe>` or `<recipe>/<run-id>`.
        root: folder of the runs.

    Raises:
        UsageError: a file is missing, or the run has no `.tflite` file.
        StoreError: the report of the run cannot be read.
    """
    if len(targets) == 1 and not Path(targets[0]).is_file() and _names_a_run(Path(targets[0]), root):
        run = read_run(targets[0], root)
        files = [run.folder / record.path for record in run.report.exports if _is_file(record)]
        files = [file for file in files if file.is_file()]
        if not files:
            raise UsageError(f"The run {run.folder.name} has no .tflite file to measure.", code="file_not_found")
        return files, run
    for target in targets:
        if not Path(target).is_file():
            raise UsageError(f"There is no file {target}.", code="file_not_found")
    return [Path(target) for target in targets], None


def bench_on_phone(
    targets: Sequence[str | Path], request: PhoneRequest, root: Path, tell: Callable[[str], None]
) -> tuple[PhoneReport, Run | None]:
    """Measures files on a phone; those of a run also enter its report.

    Args:
        targets: files, or one run, as in `files_of`.
        request: how to measure.
        root: folder of the runs.
        tell: receives what is being done, a line each.

    Returns:
        What was measured, and the run with its new report.
    """
    from tfopt.backend.phone.measure import measure_on_phone
    from tfopt.backend.tflite import flatbuffer

    files, run = files_of(targets, root)
    for file in files:
        flatbuffer.read(file)  # what is malformed is not pushed
    if run is None:
        return measure_on_phone(files, request, tell), None
    with sole_user(run.folder, f"Run {run.report.run.recipe}/{run.folder.name}"):
        measured = measure_on_phone(files, request, tell)
        report = with_phone(read_run(run.folder, root).report, measured)
        write_atomically(run.folder / REPORT, report.model_dump_json(by_alias=True, indent=1))
    return measured, Run(run.folder, report)


def with_phone(report: Report, measured: PhoneReport) -> Report:
    """A report with what was measured of its files on a phone, in their records and in the budgets.

    Args:
        report: of a run.
        measured: rows by file name.
    """
    exports = [_with_phone(record, measured) for record in report.exports]
    latencies = {record.name: record.measures.get(PHONE_LATENCY) for record in exports}
    budgets = [_judged(budget, latencies) for budget in report.budgets]
    pending = any(budget.value is None for budget in budgets if budget.name.endswith(f".{PHONE_LATENCY}"))
    warnings = [text for text in report.warnings if pending or MEASURES_NO_PHONE not in text]
    return report.model_copy(update={"exports": exports, "budgets": budgets, "warnings": warnings})


def _with_phone(record: ExportRecord, measured: PhoneReport) -> ExportRecord:
    name = Path(record.path).name
    rows = [row for row in measured.rows if row.name == name]
    if not rows or not _is_file(record):
        return record
    fastest = measured.latency(name)
    measures = {key: value for key, value in record.measures.items() if key != PHONE_LATENCY}
    if fastest is not None and fastest.result is not None:
        measures[PHONE_LATENCY] = fastest.result.latency_ms
    facts = {**asdict(measured.facts), "abis": list(measured.facts.abis)}
    about = {"serial": measured.serial, **facts, "rows": [_plain(row) for row in rows]}
    return record.model_copy(update={"measures": measures, "details": {**record.details, "phone": about}})


def _plain(row: PhoneRow) -> dict[str, object]:
    result = None if row.result is None else {**asdict(row.result), "ignored": list(row.result.ignored)}
    about = {"accelerator": row.accelerator, "threads": row.threads, "note": row.note, "error": row.error}
    return {**about, "result": result}


def _judged(budget: BudgetRecord, latencies: dict[str, float | None]) -> BudgetRecord:
    export, _, measure = budget.name.rpartition(".")
    if measure != PHONE_LATENCY or export not in latencies:
        return budget
    value = latencies[export]
    return budget.model_copy(update={"value": value, "met": value is not None and value <= budget.limit})


def _is_file(record: ExportRecord) -> bool:
    return record.format == "tflite" and record.path.endswith(".tflite")


def _names_a_run(target: Path, root: Path) -> bool:
    """Whether a target that is no file can be a run: a folder, or a name without the ending of a file."""
    return target.is_dir() or (root / target).exists() or target.suffix != ".tflite"
