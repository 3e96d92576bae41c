"""Numbers as strings, spelled the same way in tables, pages and messages."""

from __future__ import annotations

import math
import re

_FRACTIONS = frozenset(
    (
        "agreement anomaly_auc auc dice f1 f1_score mean_average_precision mean_iou planned_sparsity precision recall "
        "relative_error sparsity within_quantum"
    ).split()
)


_MICROSECONDS_BELOW = 0.1
"""Milliseconds."""


def is_fraction(name: str) -> bool:
    """Whether a measure of this name is a fraction between 0 and 1, to be written in percent."""
    bare = name.removeprefix("val_").removesuffix("_drop")
    # Of one of several outputs, the output's name comes first: `digit_f1`.
    return bare in _FRACTIONS or bare.endswith(("accuracy", *(f"_{one}" for one in _FRACTIONS)))


def percent(value: float | None, digits: int = 1) -> str:
    """`0.8034` -> `80.3%`."""
    missing = _unless_missing(value)
    if missing or value is None:
        return missing
    return f"{round(value, digits + 2) + 0.0:.{digits}%}"  # a sum, because -0.0 + 0.0 is 0.0


def size(num_bytes: float | None) -> str:
    """`41230` -> `41.2 kB`; 1 kB is 1000 bytes, as in the recipe."""
    missing = _unless_missing(num_bytes)
    if missing or num_bytes is None:
        return missing
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(num_bytes) >= factor:
            return f"{_three_digits(num_bytes / factor)} {unit}"
    return f"{num_bytes:.0f} B"


def milliseconds(value: float | None) -> str:
    """`0.4213` -> `0.421 ms`; `0.00143` -> `1.43 µs`."""
    if missing := _unless_missing(value):
        return missing
    amount = value or 0.0
    return f"{_three_digits(amount * 1000)} µs" if amount < _MICROSECONDS_BELOW else f"{_three_digits(amount)} ms"


def latency_range(low: float | None, high: float | None) -> str:
    """Two latencies in one unit, that of the larger: `0.0730–0.113 ms`."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return "–"
    factor, unit = (1000, "µs") if high < _MICROSECONDS_BELOW else (1, "ms")
    return f"{_three_digits(low * factor)}–{_three_digits(high * factor)} {unit}"


def duration(seconds: float) -> str:
    """`185.2` -> `3 min 5 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def magnitude(number: float | None) -> str:
    """`300774272` -> `301 M`; `None` -> `?`."""
    if number is None:
        return "?"
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= factor:
            return f"{_three_digits(number / factor)} {unit}"
    return f"{number:.0f}"


def count(number: int) -> str:
    """`20410` -> `20,410`."""
    return f"{number:,}"


def spaced(name: str) -> str:
    """`mean_absolute_error` -> `mean absolute error`."""
    return name.replace("_", " ")


def number(value: float | None) -> str:
    """A plain number with four significant digits."""
    return _unless_missing(value) or f"{value:.4g}"


def measure(name: str, value: float | None, *, agreement_is_share: bool = True) -> str:
    """A measure in its own unit.

    Args:
        name: as in the report, e.g. `bytes`, `latency_ms`, `accuracy_drop`, `loss`.
        value: what was measured; None where it could not be.
        agreement_is_share: whether `agreement` is a share of equal predictions; for regression it is a difference.
    """
    if name.endswith("bytes") or name == "peak_memory":
        return size(value)
    if name.startswith(("latency_ms", "phone_latency", "cold_start_ms", "time_to_first_token")):
        return milliseconds(value)
    if name == "agreement" and not agreement_is_share:
        return number(value)
    return percent(value) if is_fraction(name) else number(value)


def limit(name: str, value: float, *, agreement_is_share: bool = True) -> str:
    """A budget's limit, as a person would write it: `1%`, `0.25%`, `60 kB`; see `measure`."""
    text = measure(name, value, agreement_is_share=agreement_is_share)
    text = percent(value, 4) if text.endswith("%") else text
    return re.sub(r"\.?0+(?=$|%| )", "", text) if "." in text else text


def _three_digits(value: float) -> str:
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(decimals, 5)}f}"


def _unless_missing(value: float | None) -> str:
    if value is None:
        return "–"
    return "" if math.isfinite(value) else "not a number"
