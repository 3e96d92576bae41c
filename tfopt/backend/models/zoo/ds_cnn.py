"""DS-CNN of MLPerf Tiny (keyword spotting): 24,908 parameters at 49x10x1 and 12 classes."""

from __future__ import annotations

import tf_keras
from tf_keras import layers
from tf_keras.regularizers import L2

from tfopt.backend.data.splits import OutputSizes
from tfopt.backend.models.zoo._parts import ExampleShape, Output, batch_norm_relu, classifier, image_input


def build(
    input_shape: ExampleShape,
    num_outputs: int | OutputSizes,
    *,
    filters: int = 64,
    blocks: int = 4,
    l2: float = 1e-4,
    output: Output = "softmax",
) -> tf_keras.Model:
    """Depthwise-separable convolutions (Zhang et al. 2017, arXiv:1711.07128), as in github.com/mlcommons/tiny.

    Args:
        input_shape: (time, coefficients, channels) of a spectrogram, or any image of 4x4 at least.
        num_outputs: classes.
        filters: of every convolution.
        blocks: number of depthwise-separable blocks.
        l2: weight of the kernels' L2 loss.
        output: what follows the layer `logits`.
    """
    inputs, x = image_input(input_shape, "ds_cnn", smallest=4)
    x = layers.Conv2D(filters, (10, 4), 2, padding="same", kernel_regularizer=L2(l2), name="stem")(x)
    x = layers.Dropout(0.2, name="stem_dropout")(batch_norm_relu(x, "stem"))
    for number in range(1, blocks + 1):
        depthwise, pointwise = f"block{number}_depthwise", f"block{number}_pointwise"
        x = layers.DepthwiseConv2D(3, padding="same", depthwise_regularizer=L2(l2), name=depthwise)(x)
        x = batch_norm_relu(x, depthwise)
        x = layers.Conv2D(filters, 1, padding="same", kernel_regularizer=L2(l2), name=pointwise)(x)
        x = batch_norm_relu(x, pointwise)
    x = layers.Dropout(0.4, name="dropout")(x)
    x = layers.AveragePooling2D(tuple(x.shape[1:3]), name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    return classifier(inputs, x, num_outputs, output, "ds_cnn")
