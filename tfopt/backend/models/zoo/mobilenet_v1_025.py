"""MobileNetV1 x 0.25 of MLPerf Tiny (visual wake words): 221,794 parameters at 96x96x3 and 2 classes."""

from __future__ import annotations

import tf_keras
from tf_keras import layers
from tf_keras.regularizers import L2

from tfopt.backend.data.splits import OutputSizes
from tfopt.backend.models.zoo._parts import ExampleShape, Output, batch_norm_relu, classifier, image_input

_BLOCKS = ((1, 16), (2, 32), (1, 32), (2, 64), (1, 64), (2, 128), *((1, 128),) * 5, (2, 256), (1, 256))
"""Stride and filters of each block."""


def build(
    input_shape: ExampleShape, num_outputs: int | OutputSizes, *, l2: float = 1e-4, output: Output = "softmax"
) -> tf_keras.Model:
    """MobileNetV1 (Howard et al. 2017, arXiv:1704.04861) with a quarter of the filters, of github.com/mlcommons/tiny.

    Args:
        input_shape: (height, width, channels), 32x32 at least: five strides of 2.
        num_outputs: classes.
        l2: weight of the kernels' L2 loss.
        output: what follows the layer `logits`.
    """
    inputs, x = image_input(input_shape, "mobilenet_v1_025", smallest=32)
    x = layers.Conv2D(8, 3, 2, padding="same", kernel_initializer="he_normal", kernel_regularizer=L2(l2), name="stem")(
        x
    )
    x = batch_norm_relu(x, "stem")
    for number, (stride, filters) in enumerate(_BLOCKS, start=1):
        depthwise, pointwise = f"block{number}_depthwise", f"block{number}_pointwise"
        x = layers.DepthwiseConv2D(
            3,
            stride,
            depthwise_initializer="he_normal",
            depthwise_regularizer=L2(l2),
            name=depthwise,
            padding="same",
        )(x)
        x = batch_norm_relu(x, depthwise)
        x = layers.Conv2D(
            filters, 1, padding="same", kernel_initializer="he_normal", kernel_regularizer=L2(l2), name=pointwise
        )(x)
        x = batch_norm_relu(x, pointwise)
    x = layers.AveragePooling2D(tuple(x.shape[1:3]), name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    return classifier(inputs, x, num_outputs, output, "mobilenet_v1_025")
