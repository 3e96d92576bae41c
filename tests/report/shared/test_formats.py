"""Numbers are spelled one way everywhere."""

from __future__ import annotations

import pytest

from tfopt.report.shared import formats


@pytest.mark.parametrize(
    ("num_bytes", "text"),
    [(0, "0 B"), (512, "512 B"), (1_000, "1.00 kB"), (41_230, "41.2 kB"), (1_500_000, "1.50 MB"), (None, "–")],
)
def test_size(num_bytes: int | None, text: str) -> None:
    assert formats.size(num_bytes) == text


@pytest.mark.parametrize(("value", "text"), [(0.0421, "42.1 µs"), (12.3, "12.3 ms"), (0.5, "0.500 ms"), (None, "–")])
def test_milliseconds(value: float | None, text: str) -> None:
    assert formats.milliseconds(value) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.073, 0.113, "0.0730–0.113 ms"),
        (0.0421, 0.0503, "42.1–50.3 µs"),
        (1.2, 3.4, "1.20–3.40 ms"),
        (None, 0.1, "–"),
    ],
)
def test_a_range_of_latencies_has_one_unit(low: float | None, high: float | None, text: str) -> None:
    assert formats.latency_range(low, high) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.31, "0.3 s"), (47.3, "47 s"), (185.2, "3 min 5 s"), (3_840, "1 h 4 min")]
)
def test_duration(seconds: float, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("accuracy", 0.9806, "98.1%"),
        ("val_sparse_categorical_accuracy", 0.5, "50.0%"),
        ("accuracy_drop", -0.0028, "-0.3%"),
        ("mean_absolute_error", 0.12345, "0.1235"),
        ("bytes", 60_000, "60.0 kB"),
        ("latency_ms_p90", 0.5, "0.500 ms"),
        ("loss", float("nan"), "not a number"),
        ("loss", None, "–"),
    ],
)
def test_a_measure_has_its_own_unit(name: str, value: float | None, text: str) -> None:
    assert formats.measure(name, value) == text


def test_agreement_of_a_regression_is_a_difference() -> None:
    assert formats.measure("agreement", 0.0021, agreement_is_share=False) == "0.0021"
    assert formats.measure("agreement", 0.9944) == "99.4%"
    assert formats.limit("agreement", 0.5, agreement_is_share=False) == "0.5"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("accuracy_drop", 0.01, "1%"), ("accuracy_drop", 0.0025, "0.25%"), ("accuracy", 1.0, "100%"),
        ("bytes", 60_000, "60 kB"), ("latency_ms", 5.0, "5 ms"), ("bytes", 200, "200 B"),
    ],
)  # fmt: skip
def test_a_limit_is_spelled_as_in_the_recipe(name: str, value: float, text: str) -> None:
    assert formats.limit(name, value) == text


def test_measures_of_language_models() -> None:
    assert formats.measure("perplexity", 4.5) == "4.5"
    assert formats.measure("time_to_first_token", 20.0) == "20.0 ms"


def test_a_small_loss_below_zero_has_no_sign() -> None:
    assert [formats.percent(value) for value in (0.8034, -0.0002, -0.02, 0.0)] == ["80.3%", "0.0%", "-2.0%", "0.0%"]
