"""How a budget is shared out."""

from __future__ import annotations

import pytest

from tfopt.backend.shrinking.allocate import equal_shares, uniform
from tfopt.backend.shrinking.choices import Choice
from tfopt.backend.shrinking.graph.types import ShrinkGroup

pytestmark = pytest.mark.tf


def choice(name: str, units: int, step: int) -> Choice:
    return Choice(ShrinkGroup(name, "channels", units, 1, ()), tuple(range(step, units + 1, step)))


def test_what_equal_shares_leave_of_the_limit_is_used():
    choices = [choice("coarse", 16, 8), choice("fine", 64, 4)]

    def cost(widths):
        return widths["coarse"] * widths["fine"]

    # At 9/16 of both, the coarse group keeps 8 and the fine one 36: 288.
    assert equal_shares(choices, cost, 400) == {"coarse": 8, "fine": 36}
    found = uniform(choices, cost, 400)
    assert found == {"coarse": 8, "fine": 48}
    assert uniform(choices, cost, 16 * 64) == {"coarse": 16, "fine": 64}
    assert uniform(choices, cost, 32) == {"coarse": 8, "fine": 4}
