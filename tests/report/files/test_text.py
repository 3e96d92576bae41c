"""Audits, latencies and names in the terminal."""

from __future__ import annotations

from tests.support.console import printed
from tests.support.sample_report import lying_report, sample_report
from tfopt.report.files.text import audit_text, bench_table, listing_lines
from tfopt.results import CatalogEntry


def test_an_audit_names_what_computes_in_float() -> None:
    honest = sample_report().exports[-1].audit
    lying = lying_report().exports[-1].audit
    assert honest is not None
    assert lying is not None
    assert "integers only" in printed(audit_text(honest, "int8.tflite"))
    shown = " ".join(printed(audit_text(lying, "int8.tflite")).split())
    assert "computes in float: CONV_2D ×2, FULLY_CONNECTED ×2" in shown
    assert "(layers conv, conv_1, hidden, logits)" in shown


def test_bench_compares_with_the_fastest() -> None:
    rows = [
        {"name": name, "bytes": 1000, "latency_ms": value, "latency_ms_p10": value, "latency_ms_p90": value}
        for name, value in (("float32", 0.5), ("int8", 0.25))
    ]
    shown = printed([bench_table(rows)])
    assert "2.00×" in shown
    assert "1.00×" in shown


def test_a_listing_is_plain_lines_with_arguments_and_origin() -> None:
    lines = listing_lines(
        {"models": [
            CatalogEntry("mlp", "Dense layers.", "tfopt", ("units",)),
            CatalogEntry("theirs", "Other.", "their-package"),
        ], "recipes": []},
        60,
    )  # fmt: skip
    assert lines[0] == "models"
    assert lines[1].split() == ["mlp", "Dense", "layers."]
    assert lines[2].strip() == "units"
    assert "[their-package]" in lines[3]
    assert lines[-2:] == ["recipes", "  none"]
    assert max(map(len, lines)) <= 60
