"""The figures of a comparison."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from tests.core.sweeps.test_comparison import SHRUNK, narrowed
from tests.support.console import printed
from tfopt.core.sweeps.candidates import Candidate
from tfopt.core.sweeps.comparison import Comparison, compare
from tfopt.report.comparison.charts import drawings
from tfopt.report.comparison.html import render_comparison
from tfopt.report.comparison.text import comparison_text
from tfopt.report.notebook.parts import comparison_html
from tfopt.report.shared.drawing import Drawing


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


def test_networks_of_several_sizes_are_drawn_against_operations_and_time() -> None:
    candidates = [narrowed(*one) for one in SHRUNK]
    table = compare(candidates)
    drawn = {drawing.name: drawing for drawing in drawings(table, candidates)}
    assert "metric_by_sparsity" not in drawn
    assert (
        "On the front: low: 90.0% in 250 k MACs; macs=40%: 96.0% in 400 k MACs" in drawn["metric_by_macs"].description
    )
    assert "macs=40%: 96.0% in 4.00 ms; macs=60%" in drawn["metric_by_latency"].description
    assert ">dense</text>" in drawn["metric_by_macs"].chart().svg
    text = printed(comparison_text(table, table.rows, 140), 140)
    assert "● 600 k" in text
    assert "● in MACs or latency" in text
    for page in (render_comparison(table, table.rows, candidates, list(drawn.values())), comparison_html(table)):
        assert "● 250 k" in page
        assert "on the Pareto front of that column" in page
