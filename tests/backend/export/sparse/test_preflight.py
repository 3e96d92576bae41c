"""Sparse files that a kernel would compute wrongly are refused before training, with layer, reason and remedy."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tfopt.backend.export.sparse.preflight import sparse_preflight
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.pruning import PruneRule, Pruning
from tfopt.core.config.schedules import Constant
from tfopt.core.contracts.preflight import Preflight

pytestmark = pytest.mark.tf

INT8, FLOAT16, FLOAT32 = (Variant(quantize=mode, sparse=True) for mode in ("int8", "float16", "none"))


@pytest.fixture(scope="module")
def model() -> tf_keras.Model:
    image = layers.Input((8, 8, 3), name="image")
    x = layers.Conv2D(16, 1, name="conv")(image)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(64, name="hidden")(layers.Dense(24, name="narrow")(x))
    return tf_keras.Model(image, layers.Dense(10, name="logits")(x))


def pruning(**keys: object) -> Pruning:
    return Pruning(schedule=Constant(final=0.8), **keys)


def found(model: tf_keras.Model, file: Variant, stage: Pruning | None, trained: bool = True) -> Preflight:
    return sparse_preflight(model, {"file": file, "other": Variant()}, stage, trained=trained)


def message(model: tf_keras.Model, file: Variant, stage: Pruning | None, trained: bool = True) -> str:
    (problem,) = found(model, file, stage, trained).problems
    assert problem.path == ("file", "sparse")
    assert problem.code == "conflicting_keys"
    return problem.message


def test_float16_in_blocks_is_not_a_number(model: tf_keras.Model) -> None:
    text = message(model, FLOAT16, pruning(block_size=[16, 1]))
    assert "layer narrow, encoded as float16 weights in blocks of 4 inputs: every kernel returns NaN" in text
    assert "The same holds for hidden, logits." in text
    assert "quantize: none" in text
    assert found(model, FLOAT16, pruning()) == Preflight()
    assert found(model, FLOAT32, pruning(block_size=[16, 1])) == Preflight()


def test_int8_needs_blocks_of_16_in_dense_layers_and_inputs_that_they_divide(model: tf_keras.Model) -> None:
    assert "XNNPACK refuses the file" in message(model, INT8, pruning(block_size=[4, 1]))
    assert "block_size: [16, 1]" in message(model, INT8, pruning(sparsity_m_by_n=[2, 4]))
    text = message(model, INT8, pruning(block_size=[16, 1]))
    assert "layer hidden, encoded as int8 weights in blocks of 16 inputs: its 24 inputs are no multiple" in text
    skipping = (PruneRule(match="hidden", skip=True),)
    assert found(model, INT8, pruning(block_size=[16, 1], layers=skipping)) == Preflight()


def test_a_layer_that_stays_float_follows_the_rules_of_floats(model: tf_keras.Model) -> None:
    floats = Variant.model_validate(
        {"quantize": "int8", "sparse": True, "layers": [{"type": "Dense", "quantize": "none"}]}
    )
    assert found(model, floats, pruning(block_size=[4, 1])) == Preflight()


def test_a_model_that_no_stage_changes_is_judged_by_its_own_zeros(model: tf_keras.Model) -> None:
    (warning,) = found(model, INT8, None, trained=False).warnings
    assert warning.startswith("file: sparse: true changes nothing")
    assert "no stage prunes the model" in found(model, INT8, None).warnings[0]
    layer = model.get_layer("logits")
    before = layer.get_weights()
    kernel = np.where(np.arange(before[0].size).reshape(before[0].shape) % 3 == 0, before[0], 0)
    try:
        layer.set_weights([kernel, before[1]])
        assert "layer logits" in message(model, INT8, None, trained=False)
    finally:
        layer.set_weights(before)
