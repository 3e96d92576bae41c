from __future__ import annotations

import re

import pytest
from pydantic import TypeAdapter

from tests.support.root import REPOSITORY
from tfopt.core.config.schedules import Cyclic, Linear, OneShot, Schedule, schedule_kinds
from tfopt.core.recipe.plan import PlannedStage
from tfopt.report.plan.chart import schedules_chart
from tfopt.report.plan.terminal_plot import schedule_plot
from tfopt.report.run.curves import schedule_curves

DOCS = REPOSITORY / "docs"


def test_every_schedule_has_its_figure() -> None:
    kinds = {"a line": Linear(final=0.8), "in turn": Cyclic(final=0.9), "once": OneShot(final=0.5)}
    chart = schedules_chart({name: kind.resolve(100, 10) for name, kind in kinds.items()})
    assert chart.svg.count('<g id="axes_') == 3
    assert all(f">{name}</text>" in chart.svg for name in kinds)
    assert "in turn to 90% in 7 mask updates" in chart.description


@pytest.mark.parametrize("kind", schedule_kinds())
def test_every_kind_is_drawn_in_the_terminal(kind: str) -> None:
    point = {"at": "50%", "sparsity": "80%"}
    written = {"kind": kind, "steps": [point]} if kind == "stepwise" else {"kind": kind, "final": "80%"}
    resolved = TypeAdapter(Schedule).validate_python(written).resolve(200, 20)
    planned = PlannedStage("prune", "prune", "", "will run", epochs=10, steps=200, schedules={"": resolved})
    (curve,) = schedule_curves(planned, points=60)
    lines = schedule_plot(curve, width=60, unicode=True)
    assert lines[0].startswith("  80% ┤")
    assert lines[0].endswith("█")


def test_the_page_on_schedules_has_every_kind_and_every_key() -> None:
    page = (DOCS / "schedules.md").read_text(encoding="utf-8")
    for name, kind in schedule_kinds().items():
        (row,) = re.findall(rf"^\| `{name}` \|.*$", page, flags=re.MULTILINE)
        own = set(kind.model_fields) - {"kind", "begin", "end", "every"}
        assert all(f"`{key}`" in row for key in own)


def test_the_figure_of_the_page_shows_every_kind() -> None:
    figure = (DOCS / "schedules.svg").read_text(encoding="utf-8")
    assert all(f">{name}</text>" in figure for name in schedule_kinds())
