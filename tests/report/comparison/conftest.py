"""Runs of six variants over three seeds, compared."""

from __future__ import annotations

import pytest

from tests.core.sweeps.test_comparison import FINALS, KINDS, candidates
from tfopt.core.sweeps.candidates import Candidate
from tfopt.core.sweeps.comparison import Comparison, compare
from tfopt.report.comparison.charts import drawings
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
