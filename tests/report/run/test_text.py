"""What is drawn for the terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console, RenderableType

from tests.support.sample_report import hostile_report, lying_report, sample_report
from tfopt.core.records.layer_support import LayerPreflight
from tfopt.core.records.report import Environment
from tfopt.report.files import text as text_files
from tfopt.report.plan import layers as text_layers
from tfopt.report.plan import text as text_plan
from tfopt.report.run import text
from tfopt.results import CatalogEntry

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


def preflight() -> list[LayerPreflight]:
    """A convolution, what is folded into it, and layers that each have something to say."""
    no_kernel = "tfmot prunes no weights of "
    return [
        LayerPreflight("conv", "Conv2D", 160, "8 x 8 x 16", None, "simulated", 9216, ("element", "2:4"), None,
                       ("CONV_2D",)),
        LayerPreflight("norm", "BatchNormalization", 64, "8 x 8 x 16", no_kernel + "BatchNormalization",
                       "fused with conv", 0, (), "tfmot clusters no weights of BatchNormalization", ()),
        LayerPreflight("depthwise", "DepthwiseConv2D", 160, "8 x 8 x 16", "is never pruned", "simulated", 9216, (),
                       "is never clustered", ("DEPTHWISE_CONV_2D",)),
        LayerPreflight("elu", "ELU", 0, "8 x 8 x 16", "has no weights", "float: no integer kernel for ELU", 0, (),
                       "has no weights", ("ELU",), edge_tpu="stays float: no integer kernel for ELU"),
        LayerPreflight("own", "Own", 12, "3", "has no kernel", "after training", None, (), "has no kernel", None,
                       micro="its operators are known only after conversion"),
        LayerPreflight("logits", "Dense", 1_030_000, "10", None, "simulated", 1_030_000, ("element", "block", "2:4"),
                       None, ("FULLY_CONNECTED", "SOFTMAX"), xnnpack_sparse="only in blocks"),
    ]  # fmt: skip


def test_doctor_says_what_is_wrong_and_what_each_layer_supports() -> None:
    environment = Environment(python="3.11.9", threads=2)
    problem = "tf-keras is missing: pip install tf-keras"
    shown = drawn(text_plan.doctor_text(environment, [problem], preflight(), width=100), 100)
    assert f"problem: {problem}" in shown
    assert "work together" in drawn(text_plan.doctor_text(environment, [], []))
    table = shown[shown.index("layers\n") :]
    assert (
        [line.rstrip() for line in table.splitlines()]
        == """\
layers
           type                  weights    MACs  prune            cluster  8 bits
conv       Conv2D                    160  9.22 k  yes, 2:4         yes      simulated
norm       BatchNormalization         64       –  –                –        fused
depthwise  DepthwiseConv2D           160  9.22 k  –                –        simulated       1 2
elu        ELU                         –       –  –                –        float           3
own        Own                        12       ?  –                –        after training  4 5 6
logits     Dense               1,030,000  1.03 M  yes, block, 2:4  yes      simulated
  1  not pruned: is never pruned
  2  not clustered: is never clustered
  3  float: no integer kernel for ELU
  4  not pruned: has no kernel
  5  not clustered: has no kernel
  6  its operators are known only after conversion

in sum
  weights         1,030,396 in 6 layers
  MACs            1.05 M multiply-accumulates for one example, without own, where they are not known
  pruning         1,030,160 weights (100.0%)
  clustering      1,030,160 weights (100.0%)
  8 bits          3 simulated, 1 after training, 1 float, 1 fused
  operators       CONV_2D 1, DEPTHWISE_CONV_2D 1, ELU 1, FULLY_CONNECTED 1, SOFTMAX 1; known only
                  after conversion: own
  XNNPACK sparse  1 of the 2 layers that can be pruned
  TFLite Micro    all layers but own
  Edge TPU        all layers but elu""".splitlines()
    )


def test_a_rewritten_layer_has_its_rewriting_in_a_note() -> None:
    layer = LayerPreflight("sep", "SeparableConv2D", 9, "3", None, "simulated, rewritten: as two convolutions")
    assert layer.treatment == "simulated"
    assert list(text_layers.notes_of(layer)) == ["simulated, rewritten: as two convolutions"]


def test_the_table_of_layers_fits_eighty_columns_and_uses_wide_ones() -> None:
    assert max(map(len, drawn(text_layers.layers_text(preflight(), 80)).splitlines())) <= 80
    assert "FULLY_CONNECTED, SOFTMAX" in drawn(text_layers.layers_text(preflight(), 160), 160)


def test_verbose_tells_everything_about_each_layer() -> None:
    shown = drawn(text_layers.layers_text(preflight(), 100, verbose=True), 100)
    assert "fused with conv" in shown
    assert "no: only in blocks" in shown
    assert "yes (element, block, 2:4)" in shown
    assert "no: stays float: no integer kernel for ELU" in shown
