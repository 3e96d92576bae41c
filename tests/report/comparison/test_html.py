"""The page of a comparison, and its figures as files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.core.sweeps.test_comparison import candidates
from tfopt.core.sweeps.candidates import Candidate
from tfopt.core.sweeps.comparison import compare
from tfopt.errors import StoreError
from tfopt.report.comparison.charts import drawings
from tfopt.report.comparison.html import render_comparison, write_comparison, write_figures
from tfopt.report.shared.drawing import Drawing


def test_runs_without_pruning_or_files_still_have_a_page() -> None:
    bare = [
        Candidate(
            one.group, one.document, one.report.model_copy(update={"exports": [], "stages": one.report.stages[:1]})
        )
        for one in candidates({"stages.train.epochs": [1, 2]}, seeds=2)
    ]
    table = compare(bare)
    drawn = drawings(table, bare)
    assert [drawing.name for drawing in drawn] == ["metric_by_sparsity"]
    assert "epochs=1" in render_comparison(table, table.rows, bare, drawn)


def test_the_page_is_one_file_that_refers_to_nothing_and_escapes_names(
    tmp_path: Path, found: list[Candidate], drawn: tuple[Drawing, ...]
) -> None:
    evil = [Candidate(f"</td><script>{one.group}", one.document, one.report) for one in found]
    table = compare(evil)
    write_comparison(tmp_path / "deep" / "page.html", table, table.rows, evil, drawings(table, evil))
    page = (tmp_path / "deep" / "page.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)
    assert page.count("<figure") == len(drawn)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert "18 runs" not in page
    assert "12 runs" in page


def test_figures_are_written_as_svg_and_png(tmp_path: Path, drawn: tuple[Drawing, ...]) -> None:
    write_figures(drawn[:1], tmp_path / "figures")
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == [
        "metric_by_sparsity.png",
        "metric_by_sparsity.svg",
    ]
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Cannot write"):
        write_figures(drawn[:1], tmp_path / "file")
