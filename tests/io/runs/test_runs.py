from __future__ import annotations

from pathlib import Path

from tests.support.errors import refused
from tfopt.core.claims.failures import Failure, failed_export
from tfopt.core.records.report import Report, RunInfo
from tfopt.errors import StoreError
from tfopt.io.runs import runs
from tfopt.io.runs.runs import new_run_folder, point_latest, read_run
from tfopt.io.store.locks import sole_user


def finished_run(root: Path, recipe: str = "digits") -> Path:
    folder = new_run_folder(root, recipe)
    report = Report(schema=1, run=RunInfo(id=folder.name, recipe=recipe, state="done", seconds=1.0, seed=7))
    (folder / "report.json").write_text(report.model_dump_json(by_alias=True))
    return folder


def test_a_run_is_found_by_folder_by_recipe_and_by_id(tmp_path: Path) -> None:
    first, second = finished_run(tmp_path), finished_run(tmp_path)
    point_latest(first)
    point_latest(second)
    assert read_run(first, tmp_path).folder == first
    assert read_run(f"digits/{first.name}", tmp_path).folder == first
    assert read_run("digits", tmp_path).folder == second
    assert read_run("digits/latest", tmp_path).folder == second


def test_an_unknown_run_says_which_there_are(tmp_path: Path) -> None:
    point_latest(finished_run(tmp_path))
    with refused(StoreError, "run_not_found", "mnist", "digits"):
        read_run("mnist", tmp_path)
    with refused(StoreError, "run_not_found"):
        read_run("mnist", tmp_path / "nowhere")


def test_a_report_that_is_not_one_is_an_error(tmp_path: Path) -> None:
    folder = finished_run(tmp_path)
    (folder / "report.json").write_text('{"schema": 1}')
    with refused(StoreError, "invalid_record", "run: Field required"):
        read_run(folder, tmp_path)


def test_a_finished_run_is_found_again_while_its_files_are_as_they_were(tmp_path: Path) -> None:
    folder = finished_run(tmp_path)
    (folder / "export").mkdir()
    (folder / "export" / "int8.tflite").write_text("file")
    runs.begin(folder, "recipe", "identity")
    assert runs.finished_run(tmp_path, "digits", "identity") is None
    runs.close(folder)
    found = runs.finished_run(tmp_path, "digits", "identity")
    assert found is not None
    assert found.folder == folder
    assert runs.finished_run(tmp_path, "digits", "other") is None
    assert runs.finished_run(tmp_path, "digits", None) is None
    (folder / "export" / "int8.tflite").write_text("fill")
    assert runs.finished_run(tmp_path, "digits", "identity") is None


def test_a_run_of_which_an_export_failed_is_carried_out_again(tmp_path: Path) -> None:
    folder = finished_run(tmp_path)
    (folder / "export").mkdir()
    runs.begin(folder, "recipe", "identity")
    runs.close(folder)
    report = read_run(folder, tmp_path).report
    failed = failed_export("int8", "tflite", "export/int8.tflite", Failure("it crashed", "process_crashed"))
    assert runs.finished_run(tmp_path, "digits", "identity") is not None
    broken = report.model_copy(update={"exports": [failed]})
    (folder / "report.json").write_text(broken.model_dump_json(by_alias=True))
    assert runs.finished_run(tmp_path, "digits", "identity") is None


def test_only_a_killed_run_of_the_same_recipe_goes_on_in_its_folder(tmp_path: Path) -> None:
    killed = new_run_folder(tmp_path, "digits")
    runs.begin(killed, "recipe", None)
    assert runs.unfinished_run(tmp_path, "digits", "recipe") == killed
    assert runs.unfinished_run(tmp_path, "digits", "other") is None
    with sole_user(killed, "the run"):
        assert runs.unfinished_run(tmp_path, "digits", "recipe") is None
    report = Report(schema=1, run=RunInfo(id="1", recipe="digits", state="interrupted", seconds=1.0, seed=7))
    (killed / "report.json").write_text(report.model_dump_json(by_alias=True))
    assert runs.unfinished_run(tmp_path, "digits", "recipe") == killed
    done = report.model_copy(update={"run": report.run.model_copy(update={"state": "done"})})
    (killed / "report.json").write_text(done.model_dump_json(by_alias=True))
    assert runs.unfinished_run(tmp_path, "digits", "recipe") is None
