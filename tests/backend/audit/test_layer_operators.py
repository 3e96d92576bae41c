"""Every operator of a file belongs to a Keras layer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import tf_keras

from tests.support.exporting import Exported
from tfopt.backend.audit.layer_operators import layer_operators
from tfopt.backend.audit.tflite import audit_tflite
from tfopt.backend.graph.layers import fused_lstms
from tfopt.backend.stages.float_files import write_float_files

pytestmark = pytest.mark.tf


def test_operators_of_a_file_by_layer(exported: Exported) -> None:
    names = [layer.name for layer in exported.model.layers]
    found = layer_operators(exported.file("float_io"), names)
    assert found == {
        "stem": ("CONV_2D",),
        "depth": ("DEPTHWISE_CONV_2D",),
        "flat": ("RESHAPE",),
        "hidden": ("FULLY_CONNECTED",),
        "digit": ("FULLY_CONNECTED", "SOFTMAX"),
    }
    audit = exported.records["float_io"].audit
    assert audit is not None
    borders = Counter(audit.operators) - Counter(name for operators in found.values() for name in operators)
    assert borders == {"QUANTIZE": 1, "DEQUANTIZE": 1}
    assert (audit.inner_conversions, audit.activations["float32"]) == ({}, 2)


def test_a_kernel_without_a_name_is_none_of_the_layer_before(tmp_path: Path) -> None:
    layers = tf_keras.layers
    model = tf_keras.Sequential(
        [
            tf_keras.Input((8, 8, 3)),
            layers.Conv2D(8, 3, name="stem"),
            layers.LayerNormalization(name="norm"),
            layers.Conv2D(8, 3, groups=8, name="grouped"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(2, name="head"),
        ]
    )
    file = write_float_files({"float32": model}, tmp_path)["float32"]
    tensors = audit_tflite(file, [layer.name for layer in model.layers]).tensors
    kernels = [(tensor.layer, tensor.shape) for tensor in tensors if tensor.role == "weight"]
    assert sorted(kernels, key=str) == [("head", [2, 8]), ("stem", [8, 3, 3, 3]), (None, [8, 3, 3, 1])]


def test_a_fused_lstm_belongs_to_its_layer_and_not_to_the_one_that_it_reads(tmp_path: Path) -> None:
    layers = tf_keras.layers
    model = tf_keras.Sequential(
        [
            tf_keras.Input((6,), dtype="int32"),
            layers.Embedding(20, 8, name="table"),
            layers.LSTM(4, return_sequences=True, name="below"),
            layers.Bidirectional(layers.LSTM(3), name="above"),
            layers.Dense(2, name="head"),
        ]
    )
    names, lstms = [layer.name for layer in model.layers], fused_lstms(model)
    assert lstms == ("below", "above", "above")
    file = write_float_files({"float32": model}, tmp_path)["float32"]
    found = layer_operators(file, names, lstms=lstms)
    fused = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    assert {name: operators.count(fused) for name, operators in found.items() if fused in operators} == {
        "below": 1, "above": 2,
    }  # fmt: skip
    assert "GATHER" in found["table"]
    read = [tensor.layer for tensor in audit_tflite(file, names, lstms=lstms).tensors if tensor.operator == fused]
    assert set(read) == {"below", "above"}
    # A file that says nothing of its layers' kinds leaves them without one, rather than with a wrong one.
    unknown = [tensor.layer for tensor in audit_tflite(file, names).tensors if tensor.operator == fused]
    assert set(unknown) == {None}
