"""Areas are in proportion to bytes and fill their rectangle."""

from __future__ import annotations

import itertools
import math

import pytest

from tests.support.sample_report import sample_report
from tfopt.core.records.layer_sizes import LayerSizeRecord
from tfopt.report.run.treemap import layer_treemap, squarified


@pytest.mark.parametrize("sizes", [[6, 6, 4, 3, 2, 2, 1], [1], [1000, 1, 1, 1], [5] * 20])
def test_rectangles_fill_the_whole_without_overlap(sizes: list[float]) -> None:
    found = squarified(sizes, 6, 4)
    for size, area in zip(sizes, found, strict=True):
        assert math.isclose(area.width * area.height, 24 * size / sum(sizes), rel_tol=1e-6)
        assert -1e-9 <= area.x <= area.x + area.width <= 6 + 1e-6
        assert -1e-9 <= area.y <= area.y + area.height <= 4 + 1e-6
    for one, two in itertools.combinations(found, 2):
        across = min(one.x + one.width, two.x + two.width) - max(one.x, two.x)
        down = min(one.y + one.height, two.y + two.height) - max(one.y, two.y)
        assert min(across, down) <= 1e-6


def test_the_chart_names_the_layers_and_their_bytes() -> None:
    report = sample_report()
    assert layer_treemap(report) is None
    sizes = [LayerSizeRecord(layer=f"layer{number}", bytes=5000 - number) for number in range(40)]
    sizes.append(LayerSizeRecord(layer="empty", bytes=0))
    export = report.exports[-1]
    assert export.audit is not None
    audited = export.model_copy(update={"audit": export.audit.model_copy(update={"layer_sizes": sizes})})
    chart = layer_treemap(report.model_copy(update={"exports": [audited]}))
    assert chart is not None
    assert "int8: 17 more 79.5 kB, layer0 5.00 kB" in chart.description
    assert "17 more" in chart.svg
