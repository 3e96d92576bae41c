from __future__ import annotations

from pathlib import Path

import pytest

from tfopt.core.records import Report, RunInfo
from tfopt.errors import StoreError
from tfopt.io.runs import new_run_folder, point_latest, read_run


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
    with pytest.raises(StoreError, match="Found no run at mnist. Recipes with runs in .*: digits."):
        read_run("mnist", tmp_path)
    with pytest.raises(StoreError, match="There are no runs in .* yet"):
        read_run("mnist", tmp_path / "nowhere")


def test_a_report_that_is_not_one_is_an_error(tmp_path: Path) -> None:
    folder = finished_run(tmp_path)
    (folder / "report.json").write_text('{"schema": 1}')
    with pytest.raises(StoreError, match="is not a report of this version of tfopt: run: Field required"):
        read_run(folder, tmp_path)
