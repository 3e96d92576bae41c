"""Recurrent layers that are loops in TFLite: one that reads a rounded tensor kills the converter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tests.support.canonical import QUANTIZATION, randomized, there_and_back
from tests.support.files import File
from tfopt.backend.equivalence import random_inputs
from tfopt.backend.export.convert import Conversion, convert
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.quantization.calibration import calibrate
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import wrap
from tfopt.core.config.files.tflite_variant import Variant

pytestmark = pytest.mark.tf


def _model() -> tf_keras.Model:
    rows = layers.Input((5, 4), name="rows", batch_size=1)
    gated = layers.GRU(3, return_sequences=True, name="gated")(rows)
    simple = layers.SimpleRNN(3, name="simple")(gated)
    return tf_keras.Model(rows, layers.Dense(3, name="logits")(simple), name="loops")


def test_the_same_outputs_there_and_back() -> None:
    canonical = there_and_back(_model())
    assert {"gated_apart", "simple_apart"} <= {layer.name for layer in canonical.model.layers}


def test_what_needs_no_reshape_has_none() -> None:
    rows = layers.Input((5, 4), name="rows")
    outputs = [
        layers.LSTM(3, name="fused")(rows),
        layers.GRU(3, unroll=True, name="unrolled")(rows),
        layers.GRU(3, name="behind")(layers.Reshape((4, 5), name="turn")(rows)),
    ]
    model = tf_keras.Model(rows, outputs)
    assert [layer.name for layer in canonicalize(model).model.layers] == [layer.name for layer in model.layers]


def test_a_loop_at_the_input_is_converted(tmp_path: Path) -> None:
    model = randomized(_model())
    wrapped = wrap(canonicalize(model), QUANTIZATION, WeightConstraints())
    inputs = random_inputs(model, bounded=True)
    calibrate(wrapped, inputs)
    ports = saved_model.signature_of(model)
    saved_model.write_saved_model(wrapped, ports, tmp_path / "model", batch=1)
    np.save(tmp_path / "rows.npy", inputs[0].astype(np.float32))
    target = tmp_path / "int8.tflite"
    conversion = Conversion(
        "int8", Variant(quantize="int8"), tmp_path / "model", target, {"rows": tmp_path / "rows.npy"}
    )
    assert convert([conversion], lambda name: None) == {}
    assert File(target.read_bytes()).operators.count("WHILE") == 2
