"""Quantities have one canonical spelling, and it reads back as exactly the same value."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfopt.core.language.quantities import (
    Span,
    format_bytes,
    format_milliseconds,
    format_share,
    parse_bytes,
    parse_milliseconds,
    parse_share,
)

finite = st.floats(min_value=0, max_value=1e12, allow_nan=False)


@pytest.mark.parametrize(
    ("written", "share", "canonical"),
    [
        ("80%", 0.8, "80%"),
        (0.8, 0.8, "80%"),
        ("7%", 0.07, "7%"),
        ("0.5 %", 0.005, "0.5%"),
        (1, 1.0, "100%"),
        (0, 0.0, "0%"),
    ],
)
def test_shares(written: object, share: float, canonical: str) -> None:
    assert parse_share(written) == share
    assert format_share(share) == canonical


@pytest.mark.parametrize("written", ["80 px", "much", None, True, [1], "80%%", ""])
def test_what_is_no_share(written: object) -> None:
    with pytest.raises(ValueError, match="must be a percentage such as 80% or a number"):
        parse_share(written)


@pytest.mark.parametrize(
    ("written", "size", "canonical"),
    [("60 kB", 60_000, "60 kB"), ("64KiB", 65_536, "65.536 kB"), (512, 512, "512 B"), ("1.5 MB", 1_500_000, "1.5 MB")],
)
def test_sizes(written: object, size: int, canonical: str) -> None:
    assert parse_bytes(written) == size
    assert format_bytes(size) == canonical


def test_a_duration_needs_its_unit() -> None:
    assert parse_milliseconds("200 us") == 0.2
    with pytest.raises(ValueError, match="must be a duration with its unit"):
        parse_milliseconds(5)


def test_a_span_needs_its_unit() -> None:
    assert Span.parse("1 epoch") == Span(1.0, "epochs")
    with pytest.raises(ValueError, match="must have a unit"):
        Span.parse(3)
    with pytest.raises(ValueError, match="must have a unit"):
        Span.parse("-3 steps")


@given(finite)
def test_shares_read_back_exactly(share: float) -> None:
    assert parse_share(format_share(share)) == share


@given(st.integers(min_value=0, max_value=10**15))
def test_sizes_read_back_exactly(size: int) -> None:
    assert parse_bytes(format_bytes(size)) == size


@given(finite)
def test_durations_read_back_exactly(duration: float) -> None:
    assert parse_milliseconds(format_milliseconds(duration)) == duration


@given(finite, st.sampled_from(["%", "epochs", "steps"]))
def test_spans_read_back_exactly(amount: float, unit: str) -> None:
    span = Span(amount, unit)  # type: ignore[arg-type]
    assert Span.parse(str(span)) == span
    assert not math.isnan(span.amount)
