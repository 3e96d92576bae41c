"""U-Net for image segmentation: a class for each pixel; 110 k parameters at 3 channels and 11 classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.models.zoo._parts import ExampleShape, Output, batch_norm_relu, ended, image_input
from tfopt.errors import StageError


def build(
    input_shape: ExampleShape,
    num_outputs: int,
    *,
    filters: Sequence[int] = (16, 32, 64),
    convolutions: int = 2,
    separable: bool = False,
    upsampling: Literal["nearest", "bilinear", "transposed"] = "nearest",
    dropout: float = 0.0,
    output: Output = "softmax",
) -> tf_keras.Model:
    """Encoder and decoder with skip connections (Ronneberger et al. 2015, arXiv:1505.04597), with padding, so that the
    map has the size of the image, and batch normalization.

    Args:
        input_shape: (height, width, channels) or (height, width); both sides must be divisible by 2 for each level.
        num_outputs: classes.
        filters: of the convolutions of each level, from full resolution down; each level below halves both sides.
        convolutions: 3x3, in each level, on both sides.
        separable: a depthwise and a pointwise convolution in place of each, except for the first.
        upsampling: `nearest` or `bilinear` enlargement and a 1x1 convolution, or a `transposed` 2x2 convolution.
        dropout: share of the lowest level's outputs that is dropped in training.
        output: what follows the layer `logits`.

    Raises:
        StageError: the examples are no images, or their sides are not divisible.
    """
    if not filters or upsampling not in ("nearest", "bilinear", "transposed"):
        raise StageError(
            "args.filters of the model unet must name a number for each level, and args.upsampling be nearest, "
            f"bilinear or transposed. Got {list(filters)} and {upsampling!r}.",
            code="invalid_argument",
        )
    factor = 2 ** (len(filters) - 1)
    inputs, x = image_input(input_shape, "unet", smallest=factor)
    if any(side % factor for side in input_shape[:2]):
        raise StageError(
            f"The model unet with {len(filters)} levels halves both sides of an image {len(filters) - 1} times, so "
            f"they must be divisible by {factor}; the examples have {input_shape}.",
            "Resize the images (data.args.size), or give args.filters fewer levels.",
            code="incompatible_shapes",
        )
    skipped: list[tf.Tensor] = []
    for level, count in enumerate(filters, start=1):
        for number in range(1, convolutions + 1):
            first = level == number == 1
            x = _convolution(x, count, separable and not first, f"down{level}_conv{number}")
        if level < len(filters):
            skipped.append(x)
            x = layers.MaxPooling2D(2, name=f"down{level}_pool")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    for level in range(len(filters) - 1, 0, -1):
        x = _enlarged(x, filters[level - 1], upsampling, f"up{level}")
        x = layers.Concatenate(name=f"up{level}_skip")([skipped[level - 1], x])
        for number in range(1, convolutions + 1):
            x = _convolution(x, filters[level - 1], separable, f"up{level}_conv{number}")
    return ended(inputs, layers.Conv2D(num_outputs, 1, name="logits")(x), output, "unet")


def _convolution(x: tf.Tensor, filters: int, separable: bool, name: str) -> tf.Tensor:
    if separable:
        depthwise = f"{name}_depthwise"
        x = layers.DepthwiseConv2D(
            3, padding="same", depthwise_initializer="he_normal", use_bias=False, name=depthwise
        )(x)
        x = batch_norm_relu(x, depthwise, momentum=0.9)
    size = 1 if separable else 3
    x = layers.Conv2D(filters, size, padding="same", kernel_initializer="he_normal", use_bias=False, name=name)(x)
    return batch_norm_relu(x, name, momentum=0.9)


def _enlarged(x: tf.Tensor, filters: int, how: str, name: str) -> tf.Tensor:
    if how == "transposed":
        return layers.Conv2DTranspose(filters, 2, 2, padding="same", kernel_initializer="he_normal", name=name)(x)
    x = layers.Conv2D(filters, 1, kernel_initializer="he_normal", name=f"{name}_reduce")(x)
    return layers.UpSampling2D(2, interpolation=how, name=name)(x)
