"""Budgets of a shrink stage: read, written back, refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tfopt.core.config.shrink_budget import ShrinkBudget, format_count, parse_count


@pytest.mark.parametrize(
    ("written", "dense", "limit"),
    [
        ({"macs": "50%"}, 1000, 500),
        ({"macs": 0.25}, 1000, 250),
        ({"parameters": "200k"}, 1e6, 200_000),
        ({"bytes": "60 kB"}, 1e6, 60_000),
        ({"latency": "60%"}, 10, 6),
        ({"latency": "5 ms"}, 10, 5),
        ({"macs": 12_000_000}, 1e9, 12e6),
    ],
)
def test_a_budget_is_a_share_or_a_value_and_survives_being_written(written, dense, limit):
    budget = ShrinkBudget.model_validate(written)

    assert budget.limit.of(dense) == pytest.approx(limit)
    assert ShrinkBudget.model_validate(budget.model_dump(mode="json")) == budget


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({}, "exactly one of"),
        ({"macs": "50%", "bytes": "3 kB"}, "Got macs and bytes"),
        ({"macs": "150%"}, "below 100%"),
        ({"macs": "0%"}, "above 0"),
        ({"latency": 5}, "with its unit"),
        ({"latency": "60"}, "a share such as 60%"),
        ({"bytes": "many"}, "a share such as 50%, or a size such as 60 kB"),
        ({"parameters": "many"}, "200k"),
        ({"threshold": 0}, "greater than 0"),
    ],
)
def test_what_is_no_budget_is_refused(written, message):
    with pytest.raises(ValidationError, match=message):
        ShrinkBudget.model_validate(written)


@pytest.mark.parametrize("text", ["200k", "1.5M", "12", "3G", "1.234567M"])
def test_a_count_is_written_as_it_was_read(text):
    assert format_count(parse_count(text)) == text
