"""Attention and products by equation, taken apart."""

from __future__ import annotations

import pytest
import tf_keras
from tf_keras import layers

from tests.support.canonical import QUANTIZATION, quantized_file, there_and_back, treatments
from tfopt.backend.bridge.zeroing import ZeroingMultiHeadAttention
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.quantizers import ActivationQuantizer, FixedQuantizer
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import wrap

pytestmark = pytest.mark.tf


def _attention_model() -> tf_keras.Model:
    """Self-attention, attention to another sequence with its own widths, and attention shared by two sites."""
    one, two = layers.Input((8, 6), name="one"), layers.Input((5, 4), name="two")
    own = layers.MultiHeadAttention(2, 3, dropout=0.1, name="own")(one, one)
    across = layers.MultiHeadAttention(2, 3, value_dim=4, output_shape=7, use_bias=False, name="across")(own, two)
    shared = layers.MultiHeadAttention(3, 2, name="shared")
    x = layers.Add(name="sum")([shared(across, across), shared(across, value=across, key=across)])
    x = layers.EinsumDense("abc,cde->abde", (None, 3, 2), bias_axes="de", name="spread")(x)
    x = layers.EinsumDense("abcd,cde->abe", (None, 5), activation="relu", name="gathered")(x)
    return tf_keras.Model([one, two], layers.GlobalAveragePooling1D(name="pool")(x), name="attention")


def test_the_same_outputs_there_and_back_and_an_integer_file() -> None:
    model = _attention_model()
    canonical = there_and_back(model)
    kinds = {type(layer) for layer in canonical.model.layers}
    assert not kinds & {layers.MultiHeadAttention, layers.EinsumDense}
    assert {name: how for name, how in treatments(canonical).items() if not how.startswith("simulated")} == {}
    file = quantized_file(canonical, data=True)
    assert file.float_operators == []
    assert file.operators.count("SOFTMAX") == 3  # the converter sees that two of the four are the same


def test_causal_attention_and_asked_scores_are_simulated() -> None:
    given = layers.Input((8, 6), name="given")
    causal = layers.MultiHeadAttention(2, 3, name="causal")(given, given, use_causal_mask=True)
    asked = ZeroingMultiHeadAttention(2, 3, dropout=0.1, name="asked")
    result, scores = asked(causal, causal, use_causal_mask=True, return_attention_scores=True)
    model = tf_keras.Model(given, [layers.Dense(2, name="head")(result), layers.Flatten(name="flat")(scores)])
    canonical = there_and_back(model)
    assert {name: how for name, how in treatments(canonical).items() if not how.startswith("simulated")} == {}
    file = quantized_file(canonical, data=True)
    assert file.float_operators == []
    assert file.operators.count("SOFTMAX") == 2


def test_what_softmax_returns_inside_a_model_is_rounded_as_in_the_file() -> None:
    given = layers.Input((4, 6), name="given")
    inside = layers.Softmax(name="inside")(layers.Dense(6, name="dense")(given))
    gates = layers.Dense(6, "sigmoid", name="gates")(given)
    model = tf_keras.Model(given, layers.Softmax(name="last")(layers.Multiply(name="product")([inside, gates])))
    wrapped = wrap(canonicalize(model), QUANTIZATION, WeightConstraints())
    quantizers = {
        name: wrapped.get_layer(f"quant_{name}")._output_quantizers for name in ("inside", "gates", "product", "last")
    }
    assert [type(one) for one in quantizers["inside"] + quantizers["gates"]] == [FixedQuantizer, FixedQuantizer]
    assert [type(one) for one in quantizers["product"]] == [ActivationQuantizer]
    assert quantizers["last"] == []  # a loss needs probabilities other than 0
