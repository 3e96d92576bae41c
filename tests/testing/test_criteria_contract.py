"""The contract of pruning criteria, over all that come with tfopt."""

from __future__ import annotations

import pytest

from tfopt.catalog.entries import find
from tfopt.testing.criteria import CriterionContract

pytestmark = pytest.mark.tf


class TestMagnitude(CriterionContract):
    criterion = "magnitude"


def test_all_criteria_are_here() -> None:
    tried = {suite.criterion for suite in CriterionContract.__subclasses__() if suite.__module__ == __name__}
    assert tried == {name for name, entry in find("criteria").items() if entry.origin == "tfopt"}
