"""Results of LSTMs that are concatenated: in an int8 file they have the scale of the LSTM's state, and no other."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tests.support.canonical import QUANTIZATION, randomized, there_and_back, treatments
from tests.support.converting import converter_of
from tests.support.files import File
from tfopt.backend.equivalence import random_inputs
from tfopt.backend.quantization.calibration import calibrate
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import wrap

pytestmark = pytest.mark.tf


def _model() -> tf_keras.Model:
    rows = layers.Input((5, 4), name="rows", batch_size=1)
    both = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")(rows)
    single = layers.Dropout(0.1, name="dropout")(layers.LSTM(3, name="single")(rows))
    side = layers.Dense(4, activation="relu", name="side")(single)
    joined = layers.Concatenate(name="join")([layers.Flatten(name="flat")(both), single, side])
    return tf_keras.Model(rows, layers.Dense(3, name="logits")(joined), name="recurrent")


def test_the_same_outputs_there_and_back() -> None:
    model = _model()
    canonical = there_and_back(model)
    assert {done.layer for done in canonical.rewrites} == {"both", "join"}
    assert treatments(model)["both"].startswith("simulated, rewritten: computed as two LSTMs and Concatenate")


def test_a_frozen_bidirectional_stays_frozen() -> None:
    model = _model()
    model.get_layer("both").trainable = False
    made = {layer.name: layer for layer in canonicalize(model).model.layers}
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


def test_every_lstm_of_the_file_writes_in_the_scale_of_its_state() -> None:
    model = randomized(_model())
    wrapped = wrap(canonicalize(model), QUANTIZATION, WeightConstraints())
    calibrate(wrapped, [random_inputs(model, seed, bounded=True) for seed in range(4)])
    converter = converter_of(wrapped, model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [random_inputs(model, seed, bounded=True)[0][:1].astype(np.float32)] for seed in range(4)
    )
    converter.inference_input_type = converter.inference_output_type = tf.int8
    file = File(converter.convert())
    assert file.float_operators == []
    assert len(file.lstm_scales) == 3
    assert all(state == result for state, result in file.lstm_scales)
