"""What files are converted from: sizes of inputs, and masks that become part of the graph."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tests.support.contexts import export_context
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.export import tflite
from tfopt.backend.export.keras_files.open_inputs import open_inputs
from tfopt.backend.export.trial import trial_conversions
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.records.report import ExportRecord

pytestmark = pytest.mark.tf

ARITHMETIC = {"SHAPE", "STRIDED_SLICE", "PACK", "REDUCE_PROD", "FILL", "BROADCAST_ARGS"}
"""What finds sizes while a file runs."""

STEPS = 6


def _open() -> tf_keras.Model:
    """Layers that ask for sizes, on sequences of any length."""
    words = layers.Input((None,), dtype="int32", name="words")
    x = layers.Embedding(9, 4, name="table")(words)
    x = layers.LayerNormalization(name="norm")(layers.Dense(4, name="dense")(x))
    x = layers.MultiHeadAttention(2, 2, name="heads")(x, x)
    x = layers.Conv1DTranspose(3, 3, name="wider")(x)
    x = layers.RepeatVector(2, name="again")(layers.GlobalMaxPooling1D(name="max")(x))
    return tf_keras.Model(words, layers.Reshape((6,), name="flat")(x), name="open")


def test_a_fixed_batch_leaves_no_arithmetic_of_shapes() -> None:
    variants = {
        "one": Variant(batch=1),
        "one_int8": Variant(batch=1, quantize="int8"),
        "any": Variant(batch="dynamic"),
    }
    examples = {"words": np.ones((4, STEPS), np.int32)}
    found = {file.name: file for file in trial_conversions(_open(), variants, None, examples)}
    assert {file.refused for file in found.values()} == {""}
    assert not ARITHMETIC & {*found["one"].operators}
    assert not ARITHMETIC & {*found["one_int8"].operators}
    assert "SHAPE" in found["any"].operators


def test_open_axes_are_those_of_the_data() -> None:
    model = _open()
    assert open_inputs(model, (STEPS,)) == {"words": (STEPS,)}
    assert open_inputs(model, {"words": (STEPS,), "others": (2,)}) == {"words": (STEPS,)}
    assert open_inputs(model, None) == {}
    fixed = tf_keras.Sequential([layers.Input((STEPS,)), layers.Dense(2)])
    assert open_inputs(fixed, (STEPS,)) == {}


def _masked() -> tf_keras.Model:
    """One branch for each layer that looks at a mask."""
    words = layers.Input((None,), dtype="int32", name="words")
    x = layers.Embedding(9, 4, mask_zero=True, name="table")(words)
    branches = [
        layers.LSTM(3, name="lstm")(x),
        layers.Bidirectional(layers.GRU(2), name="both")(x),
        layers.GlobalAveragePooling1D(name="mean")(layers.MultiHeadAttention(2, 2, name="heads")(x, x)),
        layers.GlobalAveragePooling1D(name="last")(layers.Attention(name="attention")([x, x])),
    ]
    return tf_keras.Model(words, layers.Dense(3, activation="softmax", name="head")(layers.Concatenate()(branches)))


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExportRecord]:
    """The records of a model with masks and an open length, with padded examples, one of them all padding."""
    random = np.random.default_rng(0)
    words = random.integers(1, 9, (60, STEPS)) * (np.arange(STEPS) < random.integers(1, STEPS + 1, 60)[:, None])
    words[0] = 0
    model = _masked()
    kernel, bias = model.get_layer("head").get_weights()
    model.get_layer("head").set_weights([kernel * 6, bias])  # so that classes are not a matter of rounding
    split = Split(words.astype("int32"), np.zeros(60, np.int32))
    context = export_context(tmp_path_factory.mktemp("masked"), Data(split, split, split, source="x", num_classes=3))
    variants = {"dynamic": Variant(quantize="dynamic"), "int8": Variant(quantize="int8", calibration=60)}
    return {record.name: record for record in tflite.export(model, variants, context)}


def test_masks_of_every_kind_are_right_in_an_int8_file(masked: dict[str, ExportRecord]) -> None:
    record = masked["int8"]
    claims = {claim.code: claim for claim in record.claims}
    assert claims["integer_only"].held, claims["integer_only"].found
    assert claims["runs_on_kernels"].held, claims["runs_on_kernels"].found
    assert record.measures["agreement"] > 0.9
    assert record.audit.float_operators == {}
    assert record.audit.inputs[0].shape == [1, STEPS]
    assert "WHILE" not in record.audit.operators
    assert masked["dynamic"].measures["agreement"] > 0.97
