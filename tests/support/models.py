"""Tiny models on the digits, and what tests do with them: train, prune, compare."""

from __future__ import annotations

import numpy as np
import tf_keras
from tf_keras import layers

from tests.support.digits import TEST, TRAIN, digit_arrays


def small_model(dropout: float = 0.0, seed: int = 0) -> tf_keras.Model:
    """Conv (8 filters, one input channel), conv (16), dense (32), logits (10)."""
    tf_keras.utils.set_random_seed(seed)
    inputs = layers.Input((8, 8, 1))
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="conv1")(inputs)
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.Conv2D(16, 3, use_bias=False, name="conv2")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Flatten(name="flatten")(layers.ReLU(name="relu")(x))
    x = layers.Dropout(dropout, name="dropout")(x) if dropout else x
    x = layers.Dense(32, activation="relu", name="hidden")(x)
    return tf_keras.Model(inputs, layers.Dense(10, activation="softmax", name="logits")(x))


def wide_model(seed: int = 1, softmax: bool = True, outputs: int = 10) -> tf_keras.Model:
    """A teacher for digits: as `small_model`, but with other widths."""
    tf_keras.utils.set_random_seed(seed)
    inputs = layers.Input((8, 8, 1))
    x = layers.Conv2D(12, 3, padding="same", activation="relu", name="first")(inputs)
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.Conv2D(24, 3, activation="relu", name="second")(x)
    x = layers.Dense(48, activation="relu", name="wide")(layers.Flatten(name="flatten")(x))
    activation = "softmax" if softmax else None
    return tf_keras.Model(inputs, layers.Dense(outputs, activation=activation, name="answer")(x))


def normalization(name: str) -> layers.BatchNormalization:
    """Batch normalization whose statistics are ready after a few dozen steps."""
    return layers.BatchNormalization(momentum=0.8, name=name)


def separate_relu_model() -> tf_keras.Model:
    """Kernels with their ReLU in a layer of its own: the common way to write it, and the one that tfmot gets wrong."""
    return tf_keras.Sequential(
        [
            layers.InputLayer((8, 8, 1), name="image"),
            layers.Conv2D(8, 3, padding="same", name="first"),
            layers.ReLU(name="first_relu"),
            layers.Conv2D(16, 3, name="second"),
            layers.Activation("relu", name="second_relu"),
            layers.Flatten(name="flatten"),
            layers.Dense(32, name="hidden"),
            layers.ReLU(name="hidden_relu"),
            layers.Dense(10, activation="softmax", name="logits"),
        ],
        name="separate",
    )


def inner_relu_model() -> tf_keras.Model:
    """The same with the ReLU inside the layers."""
    return tf_keras.Sequential(
        [
            layers.InputLayer((8, 8, 1), name="image"),
            layers.Conv2D(8, 3, padding="same", activation="relu", name="first"),
            layers.Conv2D(16, 3, activation="relu", name="second"),
            layers.Flatten(name="flatten"),
            layers.Dense(32, activation="relu", name="hidden"),
            layers.Dense(10, activation="softmax", name="logits"),
        ],
        name="inner",
    )


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


def train(model: tf_keras.Model, epochs: int, learning_rate: float = 2e-3) -> tf_keras.Model:
    """Plain Keras training on the training images."""
    images, labels = digit_arrays()
    tf_keras.utils.set_random_seed(3)
    model.compile(tf_keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images[TRAIN], labels[TRAIN], epochs=epochs, batch_size=64, verbose=0)
    return model


def answers(model: tf_keras.Model, inputs: np.ndarray) -> np.ndarray:
    """As `predict`, but layer by layer: a graph costs a second to make, and answers once."""
    return np.asarray(model(inputs, training=False))


def accuracy(model: tf_keras.Model) -> float:
    """Share of test images that a Keras model gets right."""
    images, labels = digit_arrays()
    return float((answers(model, images[TEST]).argmax(-1) == labels[TEST]).mean())


def zero_smallest(kernel: np.ndarray, share: float) -> np.ndarray:
    """Sets the smallest weights to zero."""
    threshold = np.quantile(np.abs(kernel), share)
    return np.where(np.abs(kernel) <= threshold, 0, kernel).astype(kernel.dtype)


def prune_by_magnitude(model: tf_keras.Model, sparsity: float) -> tf_keras.Model:
    """Sets the smallest weights of every kernel to zero, as a stripped pruned model has it."""
    for variable in model.trainable_variables:
        if variable.shape.rank >= 2:
            value = variable.numpy()
            value[np.abs(value) <= np.quantile(np.abs(value), sparsity)] = 0
            variable.assign(value)
    return model


def least_sparsity(model: tf_keras.Model) -> float:
    """Share of zeros of the kernel that has the fewest."""
    kernels = [variable.numpy() for variable in model.trainable_variables if variable.shape.rank >= 2]
    return min(float((kernel == 0).mean()) for kernel in kernels)


def same_weights(one: tf_keras.Model, other: tf_keras.Model) -> bool:
    """Whether two models agree to the last bit."""
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)
