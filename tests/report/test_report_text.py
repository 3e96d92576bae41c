"""What is drawn for the terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console, RenderableType

from tests.sample_report import hostile_report, lying_report, sample_report
from tfopt.api import Listed
from tfopt.core.plan import LayerPreflight
from tfopt.core.records import Environment
from tfopt.report import text, text_files, text_plan

FOLDER = Path("saved_models/digits-prune-qat/20260727-141503-5f2c")


def drawn(parts: Iterable[RenderableType], width: int = 80) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False, markup=False, emoji=False)
    for part in parts:
        console.print(part)
    return file.getvalue()


def test_a_run_fits_eighty_columns() -> None:
    shown = drawn(text.show_text(lying_report(), FOLDER))
    assert max(map(len, shown.splitlines())) <= 80
    assert "1 of 16 claims broken" in shown
    assert "FULLY_CONNECTED computes in float32" in shown
    assert "warning: conv has 144 kernel weights" in shown
    assert "report.json" in shown


def test_a_pipe_gets_neither_colour_nor_lines_nor_wrapping() -> None:
    shown = drawn(text.run_text(lying_report(), FOLDER, 1000), 1000)
    assert "\x1b" not in shown
    assert not set("│┃━─┏┓") & set(shown)
    assert (
        "int8 does not hold 'int8 only': FULLY_CONNECTED computes in float32 (tensor small_cnn/logits, layer logits)"
        in shown
    )


def test_a_wide_terminal_shows_the_spread_of_the_latency() -> None:
    assert "11.4–14.5 µs" in drawn([text.exports_table(sample_report(), 120)], 120)
    assert "0.0145" not in drawn([text.exports_table(sample_report(), 80)])


def test_names_are_never_markup() -> None:
    assert "[bold]&" in drawn(text.show_text(hostile_report(), FOLDER, 400), 400)


def test_an_audit_names_what_computes_in_float() -> None:
    honest = sample_report().exports[-1].audit
    lying = lying_report().exports[-1].audit
    assert honest is not None
    assert lying is not None
    assert "integers only" in drawn(text_files.audit_text(honest, "int8.tflite"))
    shown = " ".join(drawn(text_files.audit_text(lying, "int8.tflite")).split())
    assert "computes in float: CONV_2D ×2, FULLY_CONNECTED ×2" in shown
    assert "(layers conv, conv_1, hidden, logits)" in shown


def test_bench_compares_with_the_fastest() -> None:
    rows = [
        {"name": name, "bytes": 1000, "latency_ms": value, "latency_ms_p10": value, "latency_ms_p90": value}
        for name, value in (("float32", 0.5), ("int8", 0.25))
    ]
    shown = drawn([text_files.bench_table(rows)])
    assert "2.00×" in shown
    assert "1.00×" in shown


def test_a_listing_is_plain_lines_with_arguments_and_origin() -> None:
    lines = text_files.listing_lines(
        {"models": [Listed("mlp", "Dense layers.", "tfopt", ("units",)), Listed("theirs", "Other.", "their-package")],
         "recipes": []},
        60,
    )  # fmt: skip
    assert lines[0] == "models"
    assert lines[1].split() == ["mlp", "Dense", "layers."]
    assert lines[2].strip() == "units"
    assert "[their-package]" in lines[3]
    assert lines[-2:] == ["recipes", "  none"]
    assert max(map(len, lines)) <= 60


def test_doctor_says_what_is_wrong_and_what_a_layer_supports() -> None:
    layers = [
        LayerPreflight("conv", "Conv2D", 160, "(8, 8, 16)", None, "simulated"),
        LayerPreflight("norm", "LayerNormalization", 16, "(8, 8, 1)", "has no kernel", "float: not supported by tfmot"),
    ]
    shown = drawn(
        text_plan.doctor_text(
            Environment(python="3.11.9", threads=2), ["tf-keras is missing: pip install tf-keras"], layers
        ),
        120,
    )
    assert "problem: tf-keras is missing: pip install tf-keras" in shown
    assert "float: not supported by tfmot" in shown
    assert "no: has no kernel" in shown
    assert "work together" in drawn(text_plan.doctor_text(Environment(), [], []))
