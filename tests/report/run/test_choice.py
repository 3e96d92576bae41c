"""Which of several files to take is said with sizes and metric."""

from __future__ import annotations

from collections.abc import Mapping

from tfopt.core.records.report import BudgetRecord, ClaimRecord, ExportRecord, Report, RunInfo
from tfopt.report.run.choice import choice_sentences


def report(files: Mapping[str, tuple[int, float]], metric: str = "accuracy", broken: str = "") -> Report:
    claim = ClaimRecord(claim="kept", held=False, found="not kept", code="same_outputs")
    records = [
        ExportRecord(
            name=name,
            format="tflite",
            path="",
            bytes=size,
            gzip_bytes=size,
            measures={metric: value},
            claims=[claim] if name == broken else [],
        )
        for name, (size, value) in files.items()
    ]
    info = RunInfo(id="2026", recipe="digits", state="done", seconds=1, seed=0)
    return Report(run=info, exports=records, metric=metric)


FILES = {"float32": (49_000, 0.95), "dynamic": (25_000, 0.94), "int8": (27_000, 0.93), "int4": (17_000, 0.8)}


def test_what_a_smaller_file_beats_is_left_out() -> None:
    assert choice_sentences(report(FILES)) == (
        "Size against accuracy, from the smallest file on: int4 (17.0 kB, 80.0%), dynamic (25.0 kB, 94.0%), "
        "float32 (49.0 kB, 95.0%); the other one is no better than a smaller one.",
        "The smallest file that keeps its claims and budgets: int4 (17.0 kB, 80.0%).",
    )


def test_claims_and_budgets_decide_what_is_good() -> None:
    assert "budgets: dynamic (" in choice_sentences(report(FILES, broken="int4"))[1]
    missed = BudgetRecord(name="dynamic.accuracy", limit=0.95, value=0.94, met=False)
    both = report(FILES, broken="int4").model_copy(update={"budgets": [missed]})
    assert "budgets: int8 (" in choice_sentences(both)[1]


def test_a_good_file_is_found_that_a_broken_one_beats() -> None:
    files = {"float32": (49_000, 0.8), "dynamic": (25_000, 0.9), "int8": (17_000, 0.95)}
    assert "budgets: dynamic (" in choice_sentences(report(files, broken="int8"))[1]


def test_errors_should_be_small() -> None:
    files = {"float32": (40, 0.2), "int8": (10, 0.3), "int4": (11, 0.4)}
    assert choice_sentences(report(files, metric="mae"))[0] == (
        "Size against mae, from the smallest file on: int8 (10 B, 0.3), float32 (40 B, 0.2); the other one is "
        "no better than a smaller one."
    )


def test_two_files_are_no_choice() -> None:
    assert choice_sentences(report({"float32": (40, 0.2), "int8": (10, 0.3)})) == ()


def test_a_file_without_a_number_is_no_choice() -> None:
    files = {"float32": (40, 0.2), "int8": (20, 0.3), "int4": (15, 0.4), "int2": (10, float("nan"))}
    assert "file on: int4 (" in choice_sentences(report(files, metric="mae"))[0]
