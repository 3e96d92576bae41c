"""The figures of a comparison."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from tfopt.core.sweeps.candidates import Candidate
from tfopt.core.sweeps.comparison import Comparison
from tfopt.report.comparison.charts import drawings
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
