"""What is between operators without an integer kernel stays float: GeM pooling, as one layer and as operations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest
import tf_keras
from keras import layers, ops

from tests.backend.export.integers.test_float_rules import quantized_by
from tests.support.contexts import export_context
from tests.support.digits import digits
from tfopt.backend.bridge import to_tf_keras
from tfopt.backend.export import tflite
from tfopt.backend.quantization import float_layers
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.training.compile import Compile

pytestmark = pytest.mark.tf


@keras.saving.register_keras_serializable("between")
class GeM(layers.Layer):
    """Generalized mean pooling with a learned power."""

    def build(self, shape: Any) -> None:
        self.p = self.add_weight(shape=(), initializer=keras.initializers.Constant(3.0), name="p")

    def call(self, x: Any) -> Any:
        pooled = ops.mean(ops.power(ops.maximum(x, 1e-3), self.p), axis=1)
        return ops.power(pooled, 1.0 / self.p)

    def compute_output_shape(self, shape: Any) -> Any:
        return (shape[0], shape[-1])


@pytest.fixture(scope="module")
def model() -> tf_keras.Model:
    keras.utils.set_random_seed(1)
    rows = keras.Input((8, 8), name="rows")
    x = layers.Dense(12, activation="relu", name="features")(rows)
    power = ops.power(ops.maximum(rows, 1e-2), 3.0)
    other = ops.power(ops.mean(power, axis=1), 1 / 3.0)
    return to_tf_keras(keras.Model(rows, layers.Dense(10, name="logits")(GeM(name="gem")(x)) + layers.Dense(10)(other)))


@pytest.mark.parametrize("with_qat", [False, True])
def test_the_mean_between_two_powers_is_float_and_the_file_is_right(
    with_qat: bool, model: tf_keras.Model, tmp_path: Path
) -> None:
    planned = float_layers(model)
    (mean,) = [name for name in planned if "mean" in name]
    assert planned[mean].startswith("it is between layers that stay float")
    loss = Compile(loss={"name": "sparse_categorical_crossentropy", "from_logits": True})
    context = export_context(tmp_path / "export", digits(rows=True), compile=loss)
    variants = {"int8": Variant(quantize="int8", calibration=32)}
    (record,) = tflite.export(quantized_by(model) if with_qat else model, variants, context)
    assert record.audit is not None
    assert {"MEAN": 2, "POW": 4}.items() <= record.audit.float_operators.items()
