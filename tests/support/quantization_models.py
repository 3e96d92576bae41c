"""A model with every kind of kernel and join, small enough to train in a second."""

from __future__ import annotations

import tf_keras
from tf_keras import layers

from tests.support.quantization import normalization


def branchy_model() -> tf_keras.Model:
    """Conv-BN-ReLU6, depthwise, residual sum, separable, transposed, nested, concatenation, Dense-BN-ReLU."""
    image = layers.Input((8, 8, 1), name="image")
    x = layers.Conv2D(8, 3, padding="same", name="stem")(image)
    x = layers.ReLU(name="stem_relu")(x)
    x = layers.Conv2D(8, 3, padding="same", use_bias=False, name="conv")(x)
    skip = layers.ReLU(6.0, name="conv_relu")(normalization("conv_norm")(x))
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(skip)
    x = layers.Activation("relu", name="depthwise_relu")(x)
    x = layers.ReLU(name="sum_relu")(layers.Add(name="sum")([x, skip]))
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.Conv2DTranspose(8, 3, padding="same", name="transpose")(x)
    x = layers.ReLU(name="transpose_relu")(x)
    inner = [layers.InputLayer((4, 4, 8)), layers.Conv2D(8, 3, padding="same", activation="relu", name="inner")]
    x = tf_keras.Sequential(inner, name="nested")(x)
    left = layers.SeparableConv2D(8, 3, padding="same", activation="relu", name="separable")(x)
    right = layers.ReLU(name="right_relu")(normalization("right_norm")(layers.Conv2D(8, 1, name="right")(x)))
    plain = layers.Conv2D(4, 1, activation="relu", name="skipped")(x)
    x = layers.Concatenate(name="join")([left, right, plain])
    x = layers.Dense(32, use_bias=False, name="hidden")(layers.Flatten(name="flatten")(x))
    x = layers.ReLU(name="hidden_relu")(normalization("hidden_norm")(x))
    return tf_keras.Model(image, layers.Dense(10, activation="softmax", name="logits")(x), name="branchy")
