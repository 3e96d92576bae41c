"""Losses that layers add while they are called are those of the layer, whatever wraps it for a stage."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.sparsity.keras import ConstantSparsity, prune_low_magnitude
from tf_keras import layers, regularizers

from tests.support.digits import training_images
from tfopt.backend.quantization.calibration import calibrate
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import wrap
from tfopt.backend.training.wrapping import wrapped
from tfopt.core.config.quantization import Quantization

pytestmark = pytest.mark.tf


def regularized() -> tf_keras.Model:
    """A network whose activities are regularized by a layer and by a layer of its own."""
    inputs = layers.Input((8, 8, 1))
    flat = layers.Flatten()(inputs)
    hidden = layers.Dense(8, activation="relu", activity_regularizer=regularizers.L2(0.1), name="hidden")(flat)
    hidden = layers.ActivityRegularization(l1=0.1)(hidden)
    return tf_keras.Model(inputs, layers.Dense(10, name="logits")(hidden))


def pruned(model: tf_keras.Model) -> float:
    """The added losses of the network in wrappers of pruning."""

    def put(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        return prune_low_magnitude(layer, ConstantSparsity(0.5, 0)) if isinstance(layer, layers.Dense) else layer

    with wrapped(model, put, layers.Wrapper) as (inside, _):
        return added_losses(inside)


def quantized(model: tf_keras.Model) -> float:
    """The added losses of the network that simulates 8 bits."""
    inside = wrap(canonicalize(model), Quantization(), WeightConstraints())
    calibrate(inside, [training_images()[:32]])
    return added_losses(inside)


def added_losses(model: tf_keras.Model) -> float:
    """What a training step adds to the loss of the labels."""

    @tf.function
    def step(images: tf.Tensor) -> tf.Tensor:
        model(images)
        return tf.add_n(model.losses)

    return float(step(training_images()[:32]))


@pytest.mark.parametrize("inside", [pruned, quantized])
def test_activities_are_regularized_in_wrappers(inside: Callable[[tf_keras.Model], float]) -> None:
    model = regularized()
    expected = added_losses(model)
    assert expected > 0.01
    assert inside(model) == pytest.approx(expected, rel=0.05)  # 8 bits round
    assert added_losses(model) == pytest.approx(expected)
