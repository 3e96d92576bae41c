"""Results of LSTMs that are concatenated: in an int8 file they have the scale of the LSTM's state, and no other."""

from __future__ import annotations

import pytest
import tf_keras
from tf_keras import layers

from tests.support.canonical import quantized_file, there_and_back, treatments
from tfopt.backend.quantization.canonical import Canonical, canonicalize

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def canonical() -> Canonical:
    """Of a model with a layer that is frozen; its outputs are the same there and back."""
    rows = layers.Input((5, 4), name="rows", batch_size=1)
    both = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")(rows)
    single = layers.Dropout(0.1, name="dropout")(layers.LSTM(3, name="single")(rows))
    side = layers.Dense(4, activation="relu", name="side")(single)
    joined = layers.Concatenate(name="join")([layers.Flatten(name="flat")(both), single, side])
    model = tf_keras.Model(rows, layers.Dense(3, name="logits")(joined), name="recurrent")
    model.get_layer("both").trainable = False
    return there_and_back(model)


def test_the_same_outputs_there_and_back(canonical: Canonical) -> None:
    assert {done.layer for done in canonical.rewrites} == {"both", "join"}
    assert treatments(canonical)["both"].startswith("simulated, rewritten: computed as two LSTMs and Concatenate")


def test_a_frozen_bidirectional_stays_frozen(canonical: Canonical) -> None:
    made = {layer.name: layer for layer in canonical.model.layers}
    assert not made["both_forward"].trainable
    assert made["single"].trainable


def test_other_layers_are_left_alone() -> None:
    rows = layers.Input((5, 4), name="rows")
    outputs = [
        layers.Bidirectional(layers.LSTM(3), merge_mode="sum", name="sum")(rows),
        layers.Bidirectional(layers.GRU(3), name="gru")(rows),
        layers.Bidirectional(layers.LSTM(3, unroll=True), name="unrolled")(rows),
    ]
    model = tf_keras.Model(rows, outputs)
    assert not canonicalize(model).rewrites


def test_every_lstm_of_the_file_writes_in_the_scale_of_its_state(canonical: Canonical) -> None:
    file = quantized_file(canonical, data=True)
    assert file.float_operators == []
    assert len(file.lstm_scales) == 3
    assert all(state == result for state, result in file.lstm_scales)
