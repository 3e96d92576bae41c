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
    choices = [choice("one", 64, 4), choice("other", 64, 4)]

    def cost(widths):
        return widths["one"] * widths["other"]

    assert equal_shares(choices, cost, 32 * 36) == {"one": 32, "other": 32}
    assert sorted(uniform(choices, cost, 32 * 36).values()) == [32, 36]
    assert uniform(choices, cost, 64 * 64) == {"one": 64, "other": 64}
    assert uniform(choices, cost, 16) == {"one": 4, "other": 4}


def test_widths_in_coarse_steps_are_below_the_share_of_the_others():
    choices = [choice("coarse", 16, 8), choice("fine", 64, 4)]
    assert equal_shares(choices, lambda widths: widths["coarse"] * widths["fine"], 400) == {"coarse": 8, "fine": 48}
