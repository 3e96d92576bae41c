"""A Keras 3 model with a layer and an activation that tf_keras does not have."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="old_store")
class Gain(keras.layers.Layer):
    """Multiplies by a learned number per channel."""

    def build(self, shape: Any) -> None:
        self.gain = self.add_weight(shape=(shape[-1],), initializer="ones", name="gain")

    def call(self, inputs: Any) -> Any:
        return inputs * self.gain


def build(input_shape: tuple[int, ...], num_outputs: int) -> keras.Model:
    """Dense layers around the own layer."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(12, activation="relu", name="hidden"),
            Gain(name="gain"),
            keras.layers.Dense(12, activation="soft_shrink", name="shrunk"),
            keras.layers.Dense(num_outputs, activation="softmax", name="logits"),
        ]
    )
