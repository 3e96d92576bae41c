"""Models written in Keras 3, as users of today have them: what recipes of the tests name as `module:function`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers


def images(input_shape: tuple[int, ...], num_outputs: int) -> keras.Model:
    """A small convolutional net with automatic names, an operator in the graph and a nested model."""
    inputs = keras.Input(input_shape)
    x = layers.Conv2D(8, 3, padding="same", use_bias=False)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    head = keras.Sequential([keras.Input((8, 8, 8)), layers.Conv2D(8, 3, strides=2, activation="relu")], name="head")
    x = layers.Flatten()(head(x))
    x = layers.Dense(32, activation="relu")(x) + layers.Dense(32)(x)
    return keras.Model(inputs, layers.Dense(num_outputs, activation="softmax", name="digit")(x))


def plain(input_shape: tuple[int, ...], num_outputs: int) -> keras.Model:
    """Nothing special."""
    steps = [layers.Flatten(), layers.Dense(16, activation="relu"), layers.Dense(num_outputs, activation="softmax")]
    return keras.Sequential([keras.Input(input_shape), *steps])


@keras.saving.register_keras_serializable(package="tests")
class Gain(layers.Layer):
    """Multiplies by a learned number."""

    def build(self, shape: Any) -> None:
        self.gain = self.add_weight(shape=(shape[-1],), initializer="ones", name="gain")

    def call(self, inputs: Any) -> Any:
        return inputs * self.gain


def gained(input_shape: tuple[int, ...], num_outputs: int) -> keras.Model:
    """With a layer class of the user."""
    steps = [layers.Flatten(), layers.Dense(16, activation="relu"), Gain(name="gain")]
    return keras.Sequential([keras.Input(input_shape), *steps, layers.Dense(num_outputs, activation="softmax")])


class Subclassed(keras.Model):
    """With a `call` of its own."""

    def __init__(self, num_outputs: int) -> None:
        super().__init__()
        self.flat = layers.Flatten()
        self.hidden = layers.Dense(16, activation="relu", name="hidden")
        self.out = layers.Dense(num_outputs, activation="softmax", name="out")

    def call(self, inputs: Any) -> Any:
        return self.out(self.hidden(self.flat(inputs)))


def subclassed(input_shape: tuple[int, ...], num_outputs: int) -> keras.Model:
    model = Subclassed(num_outputs)
    model(np.zeros((1, *input_shape)))
    return model
