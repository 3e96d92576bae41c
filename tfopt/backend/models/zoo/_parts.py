"""What the models of the zoo share: how they begin and how they end."""

from __future__ import annotations

from typing import Literal

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.data.splits import OutputSizes
from tfopt.backend.types import Nested
from tfopt.errors import StageError

ExampleShape = tuple[int, ...]
"""Shape of one example, without the axis of the batch: all of it is known."""
Output = Literal["softmax", "sigmoid", "linear"]
"""What follows the last Dense layer, `logits`: `linear` is nothing (regression, or a loss with from_logits)."""


def image_input(input_shape: ExampleShape, model: str, smallest: int = 1) -> tuple[tf.Tensor, tf.Tensor]:
    """Input of images (height, width, channels), or (height, width), which become one channel.

    Returns:
        The input, and the tensor with a channel axis.

    Raises:
        StageError: the examples are no images, or smaller than `smallest` pixels.
    """
    if isinstance(input_shape, dict) or len(input_shape) not in (2, 3) or min(input_shape[:2]) < smallest:
        raise StageError(
            f"The model {model} expects images of at least {smallest}x{smallest} pixels, (height, width, channels); "
            f"the examples have {input_shape}.",
            "Choose a model that fits the data: mlp accepts any shape.",
            code="incompatible_shapes",
        )
    inputs = layers.Input(input_shape, name="image")
    return inputs, inputs if len(input_shape) == 3 else layers.Reshape((*input_shape, 1), name="add_channel")(inputs)


def vector_input(input_shape: ExampleShape, model: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Input of any one shape, flattened.

    Raises:
        StageError: there are several inputs.
    """
    if isinstance(input_shape, dict) or not input_shape:
        raise StageError(
            f"The model {model} expects one array per example; the examples have {input_shape}.",
            code="incompatible_shapes",
        )
    inputs = layers.Input(input_shape, name="features")
    return inputs, inputs if len(input_shape) == 1 else layers.Flatten(name="flatten")(inputs)


def classifier(
    inputs: Nested, x: tf.Tensor, num_outputs: int | OutputSizes, output: Output, name: str
) -> tf_keras.Model:
    """Ends a model with the Dense layer `logits` and what `ended` adds; of several outputs, each has its own head.

    Args:
        inputs: of the model.
        x: what the outputs are computed from, (batch, features).
        num_outputs: of the only output, or of each by its name: classes with the layers `<output>_logits` and
            `<output>`, quantities with one layer `<output>`.
        output: what follows the logits of classes.
        name: of the model.

    Raises:
        StageError: `output` is unknown.
    """
    if isinstance(num_outputs, dict):
        return tf_keras.Model(inputs, [_head(x, key, num_outputs, output, name) for key in num_outputs], name=name)
    return ended(inputs, layers.Dense(num_outputs, name="logits")(x), output, name)


def _head(x: tf.Tensor, key: str, sizes: OutputSizes, output: Output, model: str) -> tf.Tensor:
    if key in sizes.quantities or output == "linear":
        return layers.Dense(sizes[key], name=key)(x)
    return _activated(layers.Dense(sizes[key], name=f"{key}_logits")(x), output, key, model)


def ended(inputs: Nested, logits: tf.Tensor, output: Output, name: str) -> tf_keras.Model:
    """Ends a model with the activation layer `probabilities`, except for `linear`, behind its layer `logits`.

    The activation is a layer of its own so that rules can name `logits`, and every stage can find the logits.

    Raises:
        StageError: `output` is unknown.
    """
    return tf_keras.Model(inputs, _activated(logits, output, "probabilities", name), name=name)


def _activated(logits: tf.Tensor, output: Output, name: str, model: str) -> tf.Tensor:
    if output not in ("softmax", "sigmoid", "linear"):
        raise StageError(
            f"args.output of the model {model} must be softmax, sigmoid or linear. Got {output!r}.",
            code="invalid_argument",
        )
    if output == "softmax":
        return layers.Softmax(name=name)(logits)
    return layers.Activation("sigmoid", name=name)(logits) if output == "sigmoid" else logits


def batch_norm_relu(x: tf.Tensor, name: str, momentum: float = 0.99) -> tf.Tensor:
    """BatchNormalization `<name>_bn`, then ReLU `<name>_relu`."""
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(momentum=momentum, name=f"{name}_bn")(x))
