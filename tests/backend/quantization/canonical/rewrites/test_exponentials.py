"""Functions that TFLite computes in float or wrongly, by others."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from ai_edge_litert.interpreter import Interpreter
from tf_keras import layers

from tests.support.canonical import quantized_file, there_and_back, treatments
from tfopt.backend.equivalence import random_inputs
from tfopt.backend.quantization.canonical import Canonical

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def canonical() -> Canonical:
    """Its outputs are the same there and back."""
    given = layers.Input((6,), name="given")

    def wide(name: str) -> tf.Tensor:
        return layers.Rescaling(4.0, name=f"{name}_wide")(layers.Dense(5, name=f"{name}_in")(given))

    positive = layers.Dense(5, activation="relu", name="positive")(given)
    joined = [
        layers.Minimum(name="least")([positive, wide("least")]),
        layers.Maximum(name="most")([positive, wide("most")]),
        layers.ELU(0.5, name="elu")(wide("elu")),
        layers.Dense(5, activation="elu", name="function")(given),
        layers.Activation("softplus", name="soft")(wide("soft")),
    ]
    return there_and_back(tf_keras.Model(given, joined, name="functions"))


def test_the_same_outputs_there_and_back(canonical: Canonical) -> None:
    assert {done.layer for done in canonical.rewrites} >= {"least", "most", "elu", "function", "soft"}
    assert not any(how.startswith("float") for how in treatments(canonical).values())


def test_the_file_is_integer_and_right(canonical: Canonical) -> None:
    model = canonical.original
    file = quantized_file(canonical, data=True)
    assert file.float_operators == []
    given = random_inputs(model, seed=2, bounded=True)[0]
    found = _outputs(file.content, given)
    for name, values in zip(model.output_names, canonical.model(tf.constant(given)), strict=True):
        nearest = min(np.abs(np.asarray(values) - other).max() for other in found)
        assert nearest <= 0.05 * np.ptp(values), name


def _outputs(content: bytes, inputs: np.ndarray) -> list[np.ndarray]:
    interpreter = Interpreter(model_content=content)
    given = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(given["index"], inputs.shape)
    interpreter.allocate_tensors()
    scale, zero = given["quantization"]
    interpreter.set_tensor(given["index"], np.clip(np.round(inputs / scale + zero), -128, 127).astype(np.int8))
    interpreter.invoke()
    found = []
    for result in interpreter.get_output_details():
        scale, zero = result["quantization"]
        found.append((interpreter.get_tensor(result["index"]).astype(np.float32) - zero) * scale)
    return found
