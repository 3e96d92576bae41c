"""Code of users with Keras 3: classes and functions that a model of theirs is made of."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("bridge_tests")
class Scale(layers.Layer):
    """Weights of its own, inner layers made in the constructor, dropout, a penalty."""

    def __init__(self, start: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.inner = layers.Dense(4, kernel_regularizer="l2")
        self.dropout = layers.Dropout(0.5)

    def build(self, shape: Any) -> None:
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones", name="factor")
        self.inner.build(shape)

    def call(self, x: Any) -> Any:
        return self.dropout(self.inner(x * self.factor + self.start))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "start": self.start}


@keras.saving.register_keras_serializable("bridge_tests")
class Mix(layers.Layer):
    """Two tensors and a number."""

    def call(self, x: Any, other: Any = None, share: float = 0.5) -> Any:
        return share * x + (1 - share) * other


class Plain(layers.Layer):
    """Not registered, but at the top of a module."""

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], 3), name="kernel", constraint="non_neg")

    def call(self, x: Any) -> Any:
        return ops.matmul(x, self.kernel)


class Forgetful(layers.Layer):
    """Cannot be made again: its configuration lacks an argument."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = layers.Dense(units)

    def call(self, x: Any) -> Any:
        return self.inner(x)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


@keras.saving.register_keras_serializable("bridge_tests")
class Subclassed(keras.Model):
    """A model with a call of its own: layers, a wrapped layer, operations, dropout."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = layers.Dense(6, activation="relu", name="first")
        self.second = Scale(name="second")
        self.dropout = layers.Dropout(0.3, name="drop")

    def call(self, x: Any, training: bool = False) -> Any:
        return self.second(self.dropout(self.first(x), training=training)) + ops.mean(x)


class WithTensorFlow(keras.Model):
    """Its call is no graph of Keras layers."""

    def call(self, x: Any) -> Any:
        import tensorflow as tf

        return tf.reduce_sum(x, axis=-1)
