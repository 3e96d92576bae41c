"""Where the output of an operator of several layers is rounded."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import tf_keras
from tf_keras import layers

from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.annotation import annotated_layers
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.canonical.mask_layers import MaskedScores
from tfopt.backend.quantization.fusion import fused_positions

pytestmark = pytest.mark.tf


def _dot_product(x: layers.Layer) -> layers.Layer:
    return layers.MultiHeadAttention(2, 4, name="att")(x, x, use_causal_mask=True)


def _additive(x: layers.Layer) -> layers.Layer:
    return layers.AdditiveAttention(name="att")([x, x], use_causal_mask=True)


@pytest.mark.parametrize(
    ("attention", "moved"), [(_dot_product, ["att_scores"]), (_additive, ["att_summed", "att_scores6"])]
)
def test_scores_are_rounded_where_they_are_masked(
    attention: Callable[[layers.Layer], layers.Layer], moved: list[str]
) -> None:
    x = layers.Input((6, 8))
    canonical = canonicalize(tf_keras.Model(x, attention(x)))
    graph = Graph(canonical.model)
    (masked,) = (name for name, layer in graph.layers.items() if type(layer) is MaskedScores)
    positions = fused_positions(graph, annotated_layers(canonical, ()))
    assert positions[masked].output
    assert not any(positions[name].output for name in moved)
    assert positions["att_softmax"].output
