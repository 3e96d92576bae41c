"""What can be done with each layer, in the terminal."""

from __future__ import annotations

from tests.support.console import printed
from tfopt.core.records.layer_support import LayerPreflight
from tfopt.core.records.report import Environment
from tfopt.report.plan.layers import layers_text, notes_of
from tfopt.report.plan.text import doctor_text


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
    shown = printed(doctor_text(environment, [problem], preflight(), width=100), 100)
    assert f"problem: {problem}" in shown
    assert "work together" in printed(doctor_text(environment, [], []))
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
    assert list(notes_of(layer)) == ["simulated, rewritten: as two convolutions"]


def test_the_table_of_layers_fits_eighty_columns_and_uses_wide_ones() -> None:
    assert max(map(len, printed(layers_text(preflight(), 80)).splitlines())) <= 80
    assert "FULLY_CONNECTED, SOFTMAX" in printed(layers_text(preflight(), 160), 160)


def test_verbose_shows_everything_about_each_layer() -> None:
    shown = printed(layers_text(preflight(), 100, verbose=True), 100)
    assert "fused with conv" in shown
    assert "no: only in blocks" in shown
    assert "yes (element, block, 2:4)" in shown
    assert "no: stays float: no integer kernel for ELU" in shown
