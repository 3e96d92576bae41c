"""A wrapped layer is a tf_keras layer like any other: cloned, saved, pruned, converted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.tf

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_keras  # noqa: E402
from keras import layers  # noqa: E402

from tests.support.converting import converter_of  # noqa: E402
from tests.support.networks.keras3_layers import Mix, Plain, Scale  # noqa: E402
from tfopt.backend.bridge import to_tf_keras  # noqa: E402
from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper  # noqa: E402
from tfopt.backend.graph.kernels import prunable_kernels  # noqa: E402
from tfopt.backend.models.store import load_model, save_model  # noqa: E402
from tfopt.backend.pruning.eligibility import reason_not_prunable  # noqa: E402

INPUTS = np.random.default_rng(3).standard_normal((5, 6)).astype(np.float32)


@pytest.fixture
def model() -> tf_keras.Model:
    start = keras.Input((6,), name="start")
    x = Mix(name="mix")(Scale(2.0, name="scale")(start), other=layers.Dense(4, name="other")(start), share=0.3)
    x = keras.ops.where(x > 0, x, 0.1 * x)
    x = layers.Dense(5, activation="hard_silu", name="hard")(x)
    return to_tf_keras(keras.Model(start, Plain(name="plain")(x), name="net"))


def test_it_survives_cloning(model: tf_keras.Model) -> None:
    clone = tf_keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone(INPUTS), model(INPUTS))
    assert not {id(weight) for weight in clone.weights} & {id(weight) for weight in model.weights}


def test_it_survives_the_store(model: tf_keras.Model, tmp_path: Path) -> None:
    save_model(model, tmp_path)
    loaded = load_model(tmp_path)
    np.testing.assert_array_equal(loaded(INPUTS), model(INPUTS))
    assert isinstance(loaded.get_layer("plain"), Keras3LayerWrapper)
    assert type(loaded.get_layer("plain").wrapped) is Plain


def test_its_kernels_are_pruned(model: tf_keras.Model) -> None:
    from tensorflow_model_optimization.python.core.sparsity.keras import prune, pruning_schedule, pruning_wrapper

    assert [kernel.shape.as_list() for kernel in prunable_kernels(model.get_layer("plain"))] == [[5, 3]]
    assert reason_not_prunable(model.get_layer("plain")) is None
    assert reason_not_prunable(model.get_layer("mix")) == "has no weights"
    wrapped = pruning_wrapper.PruneLowMagnitude(
        model.get_layer("plain"), pruning_schedule=pruning_schedule.ConstantSparsity(0.6, 0, frequency=1)
    )
    net = tf_keras.Sequential([tf_keras.Input((5,)), wrapped])
    net.compile("sgd", "mse")
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_callbacks

    inputs = np.random.default_rng(0).standard_normal((8, 5)).astype(np.float32)
    net.fit(inputs, inputs[:, :3], verbose=0, callbacks=[pruning_callbacks.UpdatePruningStep()])
    stripped = prune.strip_pruning(net)
    # The constraint of the layer makes negative weights 0, too.
    assert 0.6 <= np.mean(stripped.layers[0].wrapped.kernel.numpy() == 0) < 1


def test_it_becomes_tflite_operators(model: tf_keras.Model) -> None:
    converter = converter_of(model)
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], INPUTS[:1])
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(found, model(INPUTS[:1]), atol=1e-5)


def test_it_survives_a_saved_model(model: tf_keras.Model, tmp_path: Path) -> None:
    model.export(tmp_path / "saved")
    loaded = tf.saved_model.load(tmp_path / "saved")
    np.testing.assert_allclose(loaded.serve(INPUTS), model(INPUTS), atol=1e-6)
