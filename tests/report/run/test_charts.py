"""Figures: the same report gives the same bytes, and nothing in them leads outside."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from tests.support.sample_report import hostile_report, sample_report
from tfopt.core.records.report import Report, RunInfo
from tfopt.report.run.charts import charts
from tfopt.report.shared.style import Chart


@pytest.fixture(scope="module")
def drawn() -> tuple[Chart, ...]:
    return charts(sample_report())


def test_every_figure_that_has_data_is_drawn(drawn: tuple[Chart, ...]) -> None:
    assert [chart.name for chart in drawn] == [
        "metric",
        "loss",
        "sparsity",
        "layers",
        "sizes",
        "files",
    ]


def test_an_empty_report_has_no_figures() -> None:
    assert charts(Report(run=RunInfo(id="1", recipe="empty", state="failed", seconds=0.0, seed=0))) == ()


def test_the_same_report_gives_the_same_bytes(drawn: tuple[Chart, ...]) -> None:
    assert charts(sample_report()) == drawn


def test_figures_are_xml_with_text_that_can_be_read() -> None:
    for chart in charts(hostile_report()):
        tree = ElementTree.fromstring(chart.svg)
        assert tree.findall(".//{http://www.w3.org/2000/svg}text")
        assert "<script>" not in chart.svg


def test_figures_refer_to_nothing_outside(drawn: tuple[Chart, ...]) -> None:
    for chart in drawn:
        assert not re.findall(r'href="(?!#)', chart.svg)
        assert "metadata" not in chart.svg


def test_descriptions_say_what_the_figure_shows(drawn: tuple[Chart, ...]) -> None:
    described = {chart.name: chart.description for chart in drawn}
    assert "measured ends at 79.9%" in described["sparsity"]
    assert "int8 43.6 kB, 16.5 kB with gzip" in described["sizes"]
    assert "logits 0.0%" in described["layers"]
