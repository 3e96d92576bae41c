"""Layers of a user made of layers of Keras, and functions of theirs."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

register = keras.saving.register_keras_serializable("own_layers")


@register
class Block(layers.Layer):
    """Standard layers inside, one of them with a different name than its attribute."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units, activation="relu", name="projection")
        self.norm = layers.BatchNormalization()
        self.drop = layers.Dropout(0.2)

    def call(self, x: Any, training: bool | None = None) -> Any:
        return self.drop(self.norm(self.dense(x), training=training), training=training) + x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@register
class Tower(layers.Layer):
    """Own layers inside an own layer, in a list; a weight of its own, of which something is computed alone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.blocks = [Block(8) for _ in range(2)]

    def build(self, shape: Any) -> None:
        self.gamma = self.add_weight(shape=(shape[-1],), initializer="ones", name="gamma")

    def call(self, x: Any) -> Any:
        for block in self.blocks:
            x = block(x)
        return x * self.gamma + 1.0 / (1.0 + ops.square(self.gamma))


@register
class Doubling(layers.Layer):
    """Does something else in training: it cannot be opened."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = layers.Dense(8)

    def call(self, x: Any, training: bool = False) -> Any:
        return self.dense(x) * 2 if training else self.dense(x)


@register
class SqueezeExcite(layers.Layer):
    """Axes added by an index, and a product that is broadcast."""

    def build(self, shape: Any) -> None:
        self.less, self.more = layers.Dense(4, activation="relu"), layers.Dense(shape[-1], activation="sigmoid")
        self.less.build((None, shape[-1]))
        self.more.build((None, 4))

    def call(self, x: Any) -> Any:
        return x * self.more(self.less(ops.mean(x, axis=(1, 2))))[:, None, None, :]


@register
class OwnNorm(layers.Layer):
    """A layer normalization by its formula."""

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(shape[-1],), initializer="zeros", name="shift")

    def call(self, x: Any) -> Any:
        mean = ops.mean(x, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(x - mean), axis=-1, keepdims=True)
        return (x - mean) * ops.rsqrt(variance + 1e-6) * self.scale + self.shift


@register
class NamedConv(layers.Conv2D):
    """Computes what Conv2D does."""

    def __init__(self, *args: Any, purpose: str = "edges", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.purpose = purpose

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "purpose": self.purpose}


@register
class GatedDense(layers.Dense):
    """Computes with what Dense does."""

    def call(self, x: Any) -> Any:
        return ops.relu(super().call(x)) * 0.5


@register
class StandardConv(layers.Conv2D):
    """Computes with its kernel, in its own way: it cannot be opened."""

    def call(self, x: Any) -> Any:
        return ops.conv(x, self.kernel - ops.mean(self.kernel), padding="valid")


def subclasses() -> keras.Model:
    """Layers that inherit from layers of Keras with weights."""
    image = keras.Input((4, 4, 3), name="image")
    x = NamedConv(8, 3, padding="same", activation="relu", name="named")(image)
    x = StandardConv(6, 3, use_bias=False, name="standard")(x)
    x = GatedDense(8, name="gated")(layers.Flatten(name="flat")(x))
    return keras.Model(image, layers.Dense(3, name="head")(x), name="subclasses")


@register
def soft_relu(x: Any) -> Any:
    """An activation whose operations have integer kernels."""
    return ops.relu(x) * ops.sigmoid(x)


@register
def squared_relu(x: Any) -> Any:
    """An activation of which one operation has none."""
    return ops.square(ops.relu(x))


def everything() -> keras.Model:
    """Every layer and function above."""
    image = keras.Input((4, 4, 3), name="image")
    x = SqueezeExcite(name="excite")(layers.Conv2D(8, 3, activation=soft_relu, name="conv")(image))
    x = OwnNorm(name="own_norm")(layers.GlobalAveragePooling2D(name="pool")(x))
    x = Doubling(name="doubling")(Tower(name="tower")(Block(8, name="block")(x)))
    return keras.Model(image, layers.Dense(3, activation=squared_relu, name="head")(x), name="everything")


@register
class TakesNoName(layers.Layer):
    """Its constructor takes nothing of a layer, so that Keras trains it but cannot read it from a file."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.dense = layers.Dense(units)

    def call(self, x: Any) -> Any:
        return self.dense(x)


@register
class FixesEpsilon(layers.LayerNormalization):
    """A layer of Keras with fewer arguments than its configuration has."""

    def __init__(self) -> None:
        super().__init__(epsilon=0.1)


@register
class DropsTheName(layers.Layer):
    """Its configuration holds nothing but its own; it cannot be opened."""

    def __init__(self, units: int = 3, **kwargs: Any) -> None:
        super().__init__()
        self.units = units
        self.dense = layers.Dense(units)

    def call(self, x: Any, training: bool = False) -> Any:
        return self.dense(x) * 2 if training else self.dense(x)

    def get_config(self) -> dict[str, Any]:
        return {"units": self.units}


def nameless() -> keras.Model:
    """Layers that lose their names, or cannot be read from a file by Keras alone."""
    start = keras.Input((3,), name="start")
    x = DropsTheName()(FixesEpsilon()(TakesNoName(4)(TakesNoName(4)(start))))
    return keras.Model(start, layers.Dense(2, name="last")(x))
