"""A small convolutional network for small images: good to begin with."""

from __future__ import annotations

from collections.abc import Sequence

import tf_keras
from tf_keras import layers

from tfopt.backend.data.splits import OutputSizes
from tfopt.backend.models.zoo._parts import ExampleShape, Output, classifier, image_input


def build(
    input_shape: ExampleShape,
    num_outputs: int | OutputSizes,
    *,
    filters: Sequence[int] = (16, 32),
    dense: int = 64,
    dropout: float = 0.0,
    output: Output = "softmax",
) -> tf_keras.Model:
    """3x3 convolutions, each followed by 2x2 pooling, then one dense layer.

    Args:
        input_shape: (height, width, channels) or (height, width).
        num_outputs: classes.
        filters: of each convolution.
        dense: units of the dense layer; 0 leaves it out.
        dropout: share of the dense layer's inputs that is dropped in training.
        output: what follows the layer `logits`.
    """
    inputs, x = image_input(input_shape, "small_cnn")
    for number, count in enumerate(filters, start=1):
        x = layers.Conv2D(
            count, 3, padding="same", activation="relu", kernel_initializer="he_normal", name=f"conv{number}"
        )(x)
        x = layers.MaxPooling2D(2, padding="same", name=f"pool{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    if dense:
        x = layers.Dense(dense, activation="relu", kernel_initializer="he_normal", name="dense")(x)
    return classifier(inputs, x, num_outputs, output, "small_cnn")
