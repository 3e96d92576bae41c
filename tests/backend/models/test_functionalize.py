"""Subclassed models and Lambda layers become graphs, with the same weights and answers, or one clear error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.models import build as models
from tfopt.backend.models.functionalize import traced, without_lambdas
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

IMAGES = np.random.RandomState(0).rand(5, 8, 8, 1).astype(np.float32)


class Block(tf_keras.Model):
    """As people write them: layers made in the constructor, called in `call`, `training` handed on."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = layers.Conv2D(4, 3, name="stem")
        self.norm = layers.BatchNormalization(name="norm")
        self.drop = layers.Dropout(0.5, name="drop")
        self.head = layers.Dense(3, name="head")

    def call(self, inputs: Any, training: bool = False) -> Any:
        x = tf.nn.relu(self.norm(self.stem(inputs), training=training))
        return self.head(self.drop(tf.reduce_mean(x, (1, 2)), training=training))


def test_a_subclassed_model_becomes_functional_with_its_own_weights() -> None:
    model = Block()
    before = model(IMAGES).numpy()
    graph = traced(model, "x:make", IMAGES)
    models.check_model(graph, "x:make")
    assert {"stem", "norm", "drop", "head"} <= {layer.name for layer in graph.layers}
    np.testing.assert_array_equal(graph(IMAGES), before)
    assert graph.get_layer("stem").kernel is model.stem.kernel
    # `training=False` is the default of `call`: it must not be frozen into the graph.
    assert np.abs(graph(IMAGES, training=True) - before).max() > 0.01
    assert not np.array_equal(model.norm.moving_mean, np.zeros(4))


def test_an_unbuilt_subclassed_model_with_named_inputs() -> None:
    class Two(tf_keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.table = layers.Embedding(10, 4, name="table")
            self.head = layers.Dense(2, name="head")

        def call(self, inputs: dict[str, Any]) -> Any:
            return self.head(layers.Flatten()(self.table(inputs["words"]))) + inputs["bias"]

    data = {"words": np.zeros((3, 5), np.int64), "bias": np.zeros((3, 2))}
    graph = traced(Two(), "x:make", data)
    assert set(graph.input_names) == {"words", "bias"}
    assert graph.count_params() == 10 * 4 + 20 * 2 + 2


def test_what_cannot_be_traced_is_one_clear_error() -> None:
    class Branching(tf_keras.Model):
        def call(self, inputs: Any) -> Any:
            return inputs if tf.reduce_sum(inputs) > 0 else -inputs

    class Loose(tf_keras.Model):
        def build(self, shape: Any) -> None:
            self.scale = self.add_weight("scale", (1,))

        def call(self, inputs: Any) -> Any:
            return inputs * self.scale

    with pytest.raises(
        StageError, match=r"Tracing the subclassed model 'Branching' of x:make failed.*functional model"
    ):
        traced(Branching(), "x:make", IMAGES)
    loose = Loose()
    loose(IMAGES)
    with pytest.raises(StageError, match=r"'Loose' of x:make: its weights .*scale.* are used outside of its layers"):
        traced(loose, "x:make", IMAGES)


def test_lambda_layers_become_operations() -> None:
    inner = tf_keras.Sequential(
        [layers.InputLayer((6, 6, 4)), layers.Lambda(lambda x: tf.nn.relu(x) * 2.0, name="double")], name="inner"
    )
    inputs = layers.Input((8, 8, 1), name="image")
    x = inner(layers.Conv2D(4, 3, name="stem", trainable=False)(inputs))
    x = layers.Lambda(lambda t, axis: tf_keras.backend.mean(t, axis), arguments={"axis": (1, 2)}, name="mean")(x)
    model = tf_keras.Model(inputs, layers.Dense(3, name="head")(x))
    found = without_lambdas(model, "x:make")
    assert not [layer for layer in found._flatten_layers() if isinstance(layer, layers.Lambda)]
    assert [layer.name for layer in found.layers][:3] == ["image", "stem", "inner"]
    assert found.get_layer("head").output.shape == (None, 3)
    assert not found.get_layer("stem").trainable
    np.testing.assert_allclose(found(IMAGES), model(IMAGES), atol=1e-6)
    models.check_model(found, "x:make")


def test_a_model_without_lambdas_is_left_alone() -> None:
    model = tf_keras.Sequential([layers.InputLayer((4,)), layers.Dense(3)])
    assert without_lambdas(model, "x:make") is model


def test_a_lambda_that_is_no_operation_is_refused() -> None:
    model = tf_keras.Sequential(
        [layers.InputLayer((4,)), layers.Lambda(lambda x, training: x, name="trick"), layers.Dense(3)]
    )
    with pytest.raises(StageError, match=r"Lambda layer 'trick' of x:make asks for `training`.*layer class"):
        without_lambdas(model, "x:make")
    model = tf_keras.Sequential(
        [layers.InputLayer((4,)), layers.Lambda(lambda x: tf.numpy_function(np.sin, [x], tf.float32), name="trick")]
    )
    with pytest.raises(StageError, match=r"A Lambda layer of x:make calls tf.numpy_function|Writing down x:make"):
        without_lambdas(model, "x:make")
