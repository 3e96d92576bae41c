"""A comparison as text, CSV, figures and page."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from rich.console import Console

from tests.core.sweeps.test_comparison import FINALS, KINDS, candidates, with_accuracies
from tfopt.core.sweeps.candidates import Candidate
from tfopt.core.sweeps.comparison import COLUMNS, Comparison, compare
from tfopt.errors import StoreError
from tfopt.report.comparison.charts import drawings
from tfopt.report.comparison.data import families, layer_grid, variant_curves
from tfopt.report.comparison.html import render_comparison, write_comparison, write_figures
from tfopt.report.comparison.sentences import verdict_sentences
from tfopt.report.comparison.text import comparison_csv, comparison_text
from tfopt.report.shared.drawing import Drawing


@pytest.fixture(scope="module")
def found() -> list[Candidate]:
    return candidates(KINDS, FINALS)


@pytest.fixture(scope="module")
def table(found: list[Candidate]) -> Comparison:
    return compare(found)


@pytest.fixture(scope="module")
def drawn(table: Comparison, found: list[Candidate]) -> tuple[Drawing, ...]:
    return drawings(table, found)


def printed(table: Comparison, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    for part in comparison_text(table, table.rows, width):
        console.print(part)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_text_has_the_table_the_front_and_the_verdicts(table: Comparison) -> None:
    text = printed(table, 130)
    assert re.search(r"●  polynomial final=80% +polynomial +80\.0% +97\.\d% ± 0\.\d%", text)
    assert "Pareto front" in text
    assert "At 90% sparsity, polynomial has the highest accuracy" in " ".join(text.split())
    assert "allocation" not in text


def test_verdicts_name_the_test_and_whether_it_is_noise() -> None:
    (noise,) = verdict_sentences(with_accuracies([0.97, 0.98, 0.99], [0.98, 0.97, 0.985]))
    assert "constant (-0.17 points, p = 0.81) is not shown to differ by more than the seeds' noise." in noise
    assert noise.endswith("Two-sided paired t-test over 3 common seeds. So few seeds can only show large differences.")
    (real,) = verdict_sentences(with_accuracies([0.970, 0.980, 0.990], [0.940, 0.951, 0.959]))
    assert "is worse by more than the seeds' noise" in real
    (single,) = verdict_sentences(with_accuracies([0.97], [0.5]))
    assert "is not known: one seed shows no noise; add seeds (--seeds 3)" in single
    (equal,) = verdict_sentences(with_accuracies([0.75, 0.5], [0.5, 0.25]))
    assert "the difference is the same for every seed" in equal


def test_csv_has_every_column_with_all_digits(table: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(comparison_csv(table.rows))))
    assert list(rows[0]) == list(COLUMNS)
    assert float(rows[0]["metric"]) == table.rows[0].metric
    assert rows[0]["seeds"] == "7 8 9"


def test_variants_that_differ_only_in_their_final_sparsity_are_one_family(table: Comparison) -> None:
    assert set(families(table).values()) == {"polynomial", "constant"}


def test_curves_begin_with_pruning_and_are_means_over_the_seeds(found: list[Candidate]) -> None:
    curve = variant_curves(found, "accuracy")["polynomial final=80%"]
    assert [step for step, _ in curve.planned] == [20, 40, 60, 80, 100, 120]
    assert curve.planned[-1][1] == pytest.approx(0.8)
    assert len(curve.metric) == 12
    assert all(
        low <= middle <= high
        for (_, low), (_, middle), (_, high) in zip(curve.low, curve.metric, curve.high, strict=True)
    )


def test_the_heat_map_has_a_value_per_layer_and_variant(table: Comparison, found: list[Candidate]) -> None:
    grid = layer_grid(table, found)
    assert grid is not None
    assert grid.layers == ("conv", "conv_1", "hidden", "logits")
    assert grid.values[0] == pytest.approx((0.65, 0.8, 0.84, 0.5))


def test_every_figure_is_drawn_the_same_each_time_and_leads_nowhere(
    table: Comparison, found: list[Candidate], drawn: tuple[Drawing, ...]
) -> None:
    assert [drawing.name for drawing in drawn] == [
        "metric_by_sparsity", "metric_by_size", "sparsity_over_steps", "metric_over_steps", "layers",
    ]  # fmt: skip
    again = drawings(table, found)
    for drawing, other in zip(drawn, again, strict=True):
        svg = drawing.chart().svg
        assert svg == other.chart().svg
        assert ElementTree.fromstring(svg).findall(".//{http://www.w3.org/2000/svg}text")
        assert not re.findall(r'href="(?!#)', svg)
    assert drawn[0].png()[:4] == b"\x89PNG"
    assert "polynomial final=80%: 97." in drawn[0].description


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
