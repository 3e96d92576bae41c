"""Figures of a phone enter the report of a run and its budgets; without them a budget on them is not met."""

from __future__ import annotations

from pathlib import Path

import pytest

import tfopt
from tfopt.core.config.budgets import Budget, pending_budgets
from tfopt.core.records.phone import PhoneFacts, PhoneReport, PhoneRow, ToolResult
from tfopt.core.records.report import BudgetRecord, ExportRecord, Report, RunInfo
from tfopt.core.records.run import Run
from tfopt.engine.files.bench import files_of, with_phone
from tfopt.errors import StoreError, UsageError
from tfopt.report.run.sentences import budget_sentence


def report(*budgets: BudgetRecord) -> Report:
    files = [
        ExportRecord(name=name, format=kind, path=f"export/{file}", bytes=1, gzip_bytes=1, measures={"accuracy": 0.9})
        for name, kind, file in (("int8", "tflite", "int8.tflite"), ("keras", "keras", "model.keras"))
    ]
    info = RunInfo(id="2026", recipe="digits", state="done", seconds=1, seed=0)
    return Report(run=info, exports=files, budgets=list(budgets))


def row(accelerator: str, milliseconds: float, ran_on: str = "accelerator") -> PhoneRow:
    return PhoneRow("int8.tflite", 1, accelerator, 1, ToolResult(milliseconds, ran_on=ran_on))  # type: ignore[arg-type]


PHONE = Budget("int8", "phone_latency", 5, at_least=False)
PENDING = BudgetRecord(name="int8.phone_latency", limit=5, value=None, met=False)


def test_the_fastest_accelerator_counts_and_a_fall_back_does_not() -> None:
    measured = PhoneReport("R5", PhoneFacts("Pixel"), (row("cpu", 4.0, "cpu"), row("gpu", 3.0), row("npu", 1.0, "cpu")))
    after = with_phone(report(PENDING), measured)
    assert after.exports[0].measures == {"accuracy": 0.9, "phone_latency": 3.0}
    assert after.exports[0].details["phone"]["model"] == "Pixel"
    assert [one["accelerator"] for one in after.exports[0].details["phone"]["rows"]] == ["cpu", "gpu", "npu"]
    assert "phone" not in after.exports[1].details
    assert after.budgets == [BudgetRecord(name="int8.phone_latency", limit=5, value=3.0, met=True)]
    assert Report.model_validate_json(after.model_dump_json(by_alias=True)) == after


def test_the_warning_goes_when_everything_is_measured() -> None:
    before = report(PENDING).model_copy(update={"warnings": [*pending_budgets([PHONE]), "other"]})
    measured = PhoneReport("R5", PhoneFacts(), (row("cpu", 4.0, "cpu"),))
    assert with_phone(before, measured).warnings == ["other"]
    failed = PhoneReport("R5", PhoneFacts(), (PhoneRow("int8.tflite", 1, "gpu", 1, error="it crashed"),))
    assert len(with_phone(before, failed).warnings) == 2


def test_a_slow_or_failed_measurement_does_not_meet_a_budget() -> None:
    slow = with_phone(report(PENDING), PhoneReport("R5", PhoneFacts(), (row("cpu", 7.0, "cpu"),)))
    assert (slow.budgets[0].value, slow.budgets[0].met, slow.held) == (7.0, False, False)
    failed = PhoneRow("int8.tflite", 1, "gpu", 1, error="it crashed")
    again = with_phone(slow, PhoneReport("R5", PhoneFacts(), (failed,)))
    assert (again.budgets[0].value, again.budgets[0].met) == (None, False)


def test_before_it_is_measured_a_budget_is_not_met_and_says_how() -> None:
    assert Run(Path("x"), report(PENDING)).exit_code == 7
    assert budget_sentence(PENDING, agreement_is_share=True) == (
        "int8.phone_latency is not measured on a phone yet, so not met (`tfopt bench RUN --adb` measures it); the "
        "budget is at most 5 ms."
    )


def test_a_target_is_files_or_one_run(tmp_path: Path) -> None:
    folder = tmp_path / "digits" / "20261130-000000-abcd"
    (folder / "export").mkdir(parents=True)
    (folder / "export" / "int8.tflite").write_bytes(b"x")
    (folder / "report.json").write_text(report().model_dump_json(by_alias=True), encoding="utf-8")
    found, run = files_of(["digits/20261130-000000-abcd"], tmp_path)
    assert [file.name for file in found] == ["int8.tflite"]
    assert run is not None
    one = folder / "export" / "int8.tflite"
    assert files_of([one], tmp_path) == ([one], None)
    with pytest.raises(UsageError, match=r"There is no file nowhere\.tflite"):
        files_of(["nowhere.tflite"], tmp_path)
    with pytest.raises(StoreError, match="Found no run at nowhere"):
        files_of(["nowhere"], tmp_path)
    one.unlink()
    with pytest.raises(UsageError, match=r"has no \.tflite file"):
        files_of([folder], tmp_path)


def test_what_python_callers_ask_for_is_checked_first() -> None:
    with pytest.raises(UsageError, match="kernels must be a list of default, builtin, reference"):
        tfopt.bench(["a.tflite"], kernels="default")
    with pytest.raises(UsageError, match="threads must be numbers of at least 1"):
        tfopt.bench(["a.tflite"], threads=[0])
    with pytest.raises(UsageError, match="accelerators must be a list of cpu, gpu, npu"):
        tfopt.bench_on_phone(["a.tflite"], accelerators=["tpu"])  # type: ignore[list-item]
